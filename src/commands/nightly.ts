import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { usageError } from "../errors.ts";
import { readRuns, writeRun } from "../history/history.ts";
import type { NightlyRun } from "../nightly-run.ts";
import { openJournal } from "../nightly/journal.ts";
import { recordRun } from "../nightly/record-run.ts";
import { type NightlyRequest, runNightly } from "../nightly/run-nightly.ts";
import { openLayoutRepository } from "../oci/layout-repository.ts";
import { parseReference, type RegistryReference } from "../oci/reference.ts";
import type { Repository } from "../oci/repository.ts";
import { makeFolder } from "../process/make-folder.ts";
import { findRoot, listRecipes, loadRecipe } from "../recipe/load.ts";
import type { Factory } from "../rebuild/types.ts";
import { summariseNightly } from "../report/nightly-summary.ts";
import { renderRefresh } from "../report/refresh-markdown.ts";
import { type CliContext, type CommandResult, type CommonFlags, runCommand } from "./context.ts";
import { withFactory } from "./factory.ts";

/** Flags of `refoundry nightly`. */
export interface NightlyFlags extends CommonFlags {
  readonly push?: string;
  readonly all?: boolean;
  readonly sample?: number;
  readonly jobs?: number;
  readonly retries?: number;
  readonly fetchRetries?: number;
  /** Seconds for one attempt at a release. */
  readonly timeout?: number;
  readonly out?: string;
  readonly history?: string;
  readonly fresh?: boolean;
  readonly key?: string;
  readonly progress?: string;
  /** Write what came out from other inputs into the releases, and the text of a pull request. */
  readonly record?: boolean;
}

/** `refoundry nightly [RECIPE...]` */
export function nightly(this: CliContext, flags: NightlyFlags, ...recipes: string[]): Promise<void> {
  return runCommand(this, flags, () => withFactory(this, (factory) => runOnce(this, flags, recipes, factory), flags));
}

async function runOnce(
  context: CliContext,
  flags: NightlyFlags,
  names: readonly string[],
  factory: Factory,
): Promise<CommandResult> {
  const { cwd, signal } = context;
  const root = await findRoot(cwd);
  const known = await listRecipes(root);
  // a name that is none is a mistake on the command line; a recipe that cannot be read is a result of the night
  for (const name of names) if (!known.includes(name)) await loadRecipe(root, name);
  await factory.signer();
  const history = await openHistory(flags.history, factory);
  const registry = flags.push === undefined ? undefined : readPrefix(flags.push);
  const outFolder = resolve(cwd, flags.out ?? "out");
  const request: NightlyRequest = {
    root,
    recipes: names.length > 0 ? names : known,
    all: flags.all ?? false,
    sample: flags.sample ?? 1,
    // builds share their places; while one release is compared and pushed, another builds
    jobs: flags.jobs ?? factory.settings.jobs + 1,
    budget: {
      infra: { retries: flags.retries ?? 2, firstDelaySeconds: 10 },
      // a mirror that is being updated, or a server that limits rates, needs longer
      fetch: { retries: flags.fetchRetries ?? 4, firstDelaySeconds: 15 },
      timeoutSeconds: flags.timeout ?? 12 * 3600,
      stageTimeouts: factory.settings.stageTimeouts,
      graceSeconds: 60,
    },
    ...(registry && { registry }),
    destinationOf: (recipe, version) => destinationOf(registry, outFolder, recipe, version),
    outFolder,
    today: new Date().toISOString().slice(0, 10),
  };
  const scope = [root, flags.push ?? outFolder, String(request.all), ...request.recipes].join("\n");
  // what cannot be written in the end is better known before the night
  await makeFolder(join(outFolder, "nightly"));
  const [before] = await readRuns(history, { limit: 1, signal });
  const journal = await openJournal(factory.store, scope, new Date(), { fresh: flags.fresh ?? false });
  if (journal.resumed)
    factory.emit({
      type: "notice",
      severity: "info",
      message: `goes on with the run ${journal.id}, which was cut off`,
    });
  const run = await runNightly(request, journal, factory);
  const summary = summariseNightly(run, before?.id === run.id ? undefined : before);
  const folder = join(outFolder, "nightly", run.id);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "run.json"), `${JSON.stringify(run, null, 2)}\n`);
  await writeFile(join(folder, "summary.md"), summary);
  if (flags.record) {
    const refreshed = await recordRun(run, { root, outFolder, today: request.today, emit: factory.emit });
    if (refreshed.length > 0) await writeFile(join(folder, "refresh.md"), renderRefresh(run.id, refreshed));
  }
  await writeRun(history, run, signal);
  await journal.finish();
  return { text: summary, document: run, exitCode: exitCodeOf(run) };
}

/** 0 when nothing failed; 3 when what failed may pass by itself; 1 otherwise. */
function exitCodeOf({ releases }: NightlyRun): number {
  const classes = releases.flatMap(({ failure }) => failure?.errorClass ?? []);
  if (classes.length === 0) return 0;
  return classes.every((name) => name === "infra" || name === "fetch") ? 3 : 1;
}

/** The history's repository: `HOST/NAME`, `oci:PATH`, or a layout in the cache folder. */
export async function openHistory(
  reference: string | undefined,
  { settings, registry }: Pick<Factory, "settings" | "registry">,
): Promise<Repository> {
  if (reference === undefined) return openLayoutRepository(join(settings.cache, "history"));
  const parsed = parseReference(reference);
  if (parsed.kind === "oci" && parsed.tag === undefined && parsed.digest === undefined)
    return openLayoutRepository(parsed.path);
  if (parsed.kind === "registry" && parsed.tag === undefined && parsed.digest === undefined)
    return registry.repository(parsed);
  throw usageError(`--history takes HOST/NAME or oci:PATH, without a tag or digest, and got ${reference}`);
}

function readPrefix(push: string): RegistryReference {
  const reference = parseReference(push);
  if (reference.kind === "registry" && reference.tag === undefined && reference.digest === undefined) return reference;
  throw usageError(`--push takes HOST/PREFIX, below which each recipe has its name, and got ${push}`);
}

function destinationOf(
  registry: RegistryReference | undefined,
  outFolder: string,
  recipe: string,
  version: string,
): ReturnType<NightlyRequest["destinationOf"]> {
  if (registry) {
    const reference: RegistryReference = { ...registry, repository: `${registry.repository}/${recipe}` };
    return { kind: "registry", reference, name: `${reference.host}/${reference.repository}:${version}` };
  }
  const path = join(outFolder, recipe, version, "oci");
  return { kind: "layout", path, name: `oci:${path}:${version}` };
}
