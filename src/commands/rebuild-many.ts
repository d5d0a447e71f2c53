import { exitCodeOf, formatProblem, RefoundryError, usageError } from "../errors.ts";
import { ofRelease } from "../events.ts";
import { withoutLogs } from "../outcome.ts";
import { inDependencyOrder } from "../plan/dependency-order.ts";
import type { LoadedRelease } from "../recipe/load.ts";
import type { Factory } from "../rebuild/types.ts";
import { type CatalogueResult, renderCatalogueTable } from "../report/catalogue-table.ts";
import type { CliContext, CommandResult } from "./context.ts";
import { withFactory } from "./factory.ts";
import { type NamedRelease, nameReleases } from "./name-releases.ts";
import { loadInputs, type RebuildFlags, rebuildWith } from "./rebuild-one.ts";

interface Failed {
  readonly release: string;
  readonly problems: RefoundryError["problems"];
  readonly exitCode: number;
}

/**
 * One release after the other: what others stand on first, else in the order of recipes and
 * versions. One that fails is said, and stops none of the others. With `--push`, each goes
 * to the repository of its recipe below that name.
 */
export async function rebuildMany(
  context: CliContext,
  flags: RebuildFlags,
  releases: readonly string[],
): Promise<CommandResult> {
  if (flags.extend && flags.extend.length > 0 && flags.record)
    throw usageError("--record writes what the recipe says, and --extend adds to that");
  const startedAt = performance.now();
  const wanted = await nameReleases(context, flags, releases);
  const results: (CatalogueResult & { readonly exitCode: number })[] = [];
  const failed: Failed[] = [];
  const fail = (release: string, error: unknown): void => {
    if (!(error instanceof RefoundryError) || error.kind === "interrupted") throw error;
    failed.push({ release, problems: error.problems, exitCode: exitCodeOf(error.kind) });
    const failure = error.problems.map(formatProblem).join("\n");
    results.push({ release, failure, exitCode: exitCodeOf(error.kind) });
  };
  const work = async (factory: Factory): Promise<void> => {
    // held for the whole run: an engine that starts and stops for each release costs seconds each time
    const engine = await (await factory.engine()).acquire(factory.signal);
    try {
      const loaded = await loadAll(context, wanted, fail);
      factory.emit({ type: "releases-planned", total: loaded.length });
      const begun = performance.now();
      for (const [at, { release, inputs }] of loaded.entries()) {
        const { all: _, push, ...rest } = flags;
        const single = { ...rest, ...(push !== undefined && { push: placeOf(push, inputs, wanted) }) };
        try {
          const one = { ...factory, emit: ofRelease(factory.emit, release) };
          const done = await rebuildWith(context, single, { loaded: inputs, build: "where due" }, one);
          results.push({ release, ...done });
        } catch (error) {
          fail(release, error);
        }
        const [count, total] = [at + 1, loaded.length];
        const secondsLeft = ((performance.now() - begun) / 1000 / count) * (total - count);
        const outcome = results.at(-1)?.exitCode === 0 ? "rebuilt" : "failed";
        factory.emit({
          type: "release-finished",
          release,
          outcome,
          done: count,
          total,
          ...(count < total && { secondsLeft }),
        });
      }
    } finally {
      await engine.release();
    }
  };
  await withFactory(context, work, flags);
  const codes = results.map(({ exitCode }) => exitCode);
  return {
    text: renderCatalogueTable(results, (performance.now() - startedAt) / 1000),
    document: {
      schema: "refoundry/outcomes/v1",
      outcomes: results.flatMap((result) => ("outcome" in result ? [withoutLogs(result.outcome)] : [])),
      failed: failed.map(({ release, problems }) => ({ release, problems })),
    },
    // 1 before 3: what will not pass by itself is what a person has to look at
    exitCode: codes.find((code) => code === 1) ?? codes.find((code) => code !== 0) ?? 0,
  };
}

async function loadAll(
  context: CliContext,
  wanted: readonly NamedRelease[],
  fail: (release: string, error: unknown) => void,
): Promise<readonly { readonly release: string; readonly inputs: LoadedRelease }[]> {
  const loaded: { id: string; release: string; inputs: LoadedRelease; dependsOn: string[] }[] = [];
  for (const { recipe, version } of wanted) {
    const release = `${recipe}@${version}`;
    try {
      const inputs = await loadInputs(context, release);
      loaded.push({ id: release, release, inputs, dependsOn: neededBy(inputs) });
    } catch (error) {
      fail(release, error);
    }
  }
  return inDependencyOrder(loaded);
}

function neededBy({ contexts, toolchainRelease }: LoadedRelease): string[] {
  const bases = Object.values(contexts).flatMap((context) => {
    if (context.kind === "recipe") return [context.release];
    return context.kind === "toolchain" && context.release ? [context.release] : [];
  });
  return [...bases, ...(toolchainRelease ? [toolchainRelease] : [])].map(
    ({ recipe, release }) => `${recipe.image}@${release.version}`,
  );
}

/** Releases of one recipe go to the repository that is named; of several, each to its own below it. */
function placeOf(push: string, { recipe }: LoadedRelease, wanted: readonly NamedRelease[]): string {
  return new Set(wanted.map((each) => each.recipe)).size === 1 ? push : `${push}/${recipe.image}`;
}
