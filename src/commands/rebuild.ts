import { isAbsolute, join, relative, resolve } from "node:path";
import { exitCodeOf, formatProblem, RefoundryError, usageError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import { isPlatformName, type PlatformName } from "../oci/platform.ts";
import { parseReference } from "../oci/reference.ts";
import { type Outcome, withoutLogs } from "../outcome.ts";
import { recordedInputs } from "../plan/build-inputs.ts";
import { findRoot, loadReleaseInputs, parseRecipeArgument } from "../recipe/load.ts";
import { isRangeArgument, selectReleases } from "../recipe/range.ts";
import { writeRelease } from "../recipe/write.ts";
import type { Destination } from "../rebuild/destination.ts";
import { extendRelease } from "../rebuild/extend-release.ts";
import { rebuildRelease } from "../rebuild/rebuild-release.ts";
import { writeResults } from "../rebuild/write-results.ts";
import type { Factory, ReleaseInputs } from "../rebuild/types.ts";
import { renderOutcomeTable } from "../report/table.ts";
import { type CliContext, type CommandResult, type CommonFlags, runCommand } from "./context.ts";
import { withFactory } from "./factory.ts";

/** Flags of `refoundry rebuild`. */
export interface RebuildFlags extends CommonFlags {
  readonly platform?: readonly string[];
  readonly force?: boolean;
  readonly push?: string;
  readonly out?: string;
  readonly key?: string;
  /** Write what came out into the release. */
  readonly record?: boolean;
  /** Platforms that the recipe does not have. */
  readonly extend?: readonly string[];
  readonly reason?: string;
}

/** `refoundry rebuild RECIPE[@VERSION]`: one release, or all in a range of versions. */
export function rebuild(this: CliContext, flags: RebuildFlags, argument: string): Promise<void> {
  return runCommand(this, flags, async () => {
    if (!isRangeArgument(argument)) return rebuildOne(this, flags, argument, "where due");
    if (flags.record) throw usageError("--record writes into one release, and a range names several");
    return rebuildRange(this, flags, argument);
  });
}

/** Flags of `refoundry publish`. */
export type PublishFlags = Omit<RebuildFlags, "platform" | "force" | "record" | "extend" | "reason">;

/** `refoundry publish RECIPE[@VERSION]`: a rebuild that is not allowed to build. */
export function publish(this: CliContext, flags: PublishFlags, argument: string): Promise<void> {
  return runCommand(this, flags, () => rebuildOne(this, flags, argument, "never"));
}

async function rebuildOne(
  context: CliContext,
  flags: RebuildFlags,
  argument: string,
  build: "where due" | "never",
): Promise<CommandResult> {
  const loaded = await loadInputs(context, argument);
  const { extend = [] } = flags;
  const extended = extend.length > 0 ? extendRelease(loaded, extend) : undefined;
  const inputs = extended?.inputs ?? loaded;
  const platforms = readPlatforms(flags.platform, inputs);
  const outFolder = join(resolve(context.cwd, flags.out ?? "out"), inputs.recipe.image, inputs.release.version);
  const work = async (factory: Factory): Promise<CommandResult> => {
    // a key that cannot be used is better known before the builds than after
    await factory.signer();
    const now = new Date();
    const rebuilt = await rebuildRelease(
      {
        inputs,
        force: flags.force ?? false,
        build,
        ...(platforms && { platforms }),
        destination: readDestination(flags.push, outFolder, extended?.tag ?? inputs.release.version, context.cwd),
        report: shortPath(join(outFolder, "report.html"), context.cwd),
        startedAt: now.toISOString(),
        today: now.toISOString().slice(0, 10),
        ...(extended && { tag: extended.tag }),
        ...(flags.reason !== undefined && { reason: flags.reason }),
      },
      factory,
    );
    const outcome = await writeResults(rebuilt, outFolder, shortPath(outFolder, context.cwd), factory.emit);
    if (flags.record) await recordExpected(outcome, inputs, context.cwd);
    const colour = context.process.stdout.isTTY && context.process.env["NO_COLOR"] === undefined;
    return {
      text: renderOutcomeTable(outcome, { colour }),
      document: withoutLogs(outcome),
      exitCode: exitCodeOfOutcome(outcome, platforms !== undefined),
    };
  };
  return withFactory(context, work, flags.key === undefined ? {} : { key: flags.key });
}

/** One release after the other, oldest first; one that fails is said, and stops none of the others. */
async function rebuildRange(context: CliContext, flags: RebuildFlags, argument: string): Promise<CommandResult> {
  const results: CommandResult[] = [];
  const failed: {
    readonly release: string;
    readonly problems: RefoundryError["problems"];
    readonly exitCode: number;
  }[] = [];
  for (const { recipe, version } of await selectReleases(await findRoot(context.cwd), argument)) {
    const release = `${recipe}@${version}`;
    try {
      results.push(await rebuildOne(context, flags, release, "where due"));
    } catch (error) {
      if (!(error instanceof RefoundryError) || error.kind === "interrupted") throw error;
      failed.push({ release, problems: error.problems, exitCode: exitCodeOf(error.kind) });
    }
  }
  const said = failed.map(({ release, problems }) => `${release} failed: ${problems.map(formatProblem).join("\n")}`);
  const codes = [...results, ...failed].map(({ exitCode }) => exitCode);
  return {
    text: [...results.map(({ text }) => text), ...said].join("\n"),
    document: {
      schema: "refoundry/outcomes/v1",
      outcomes: results.map(({ document }) => document),
      failed: failed.map(({ release, problems }) => ({ release, problems })),
    },
    // 1 before 3: what will not pass by itself is what a person has to look at
    exitCode: codes.find((code) => code === 1) ?? codes.find((code) => code !== 0) ?? 0,
  };
}

/** Reads a recipe, one release and all they name, from the checkout that holds the working folder. */
export async function loadInputs(context: CliContext, argument: string): Promise<ReleaseInputs> {
  const root = await findRoot(context.cwd);
  const { recipe, version } = parseRecipeArgument(argument);
  return loadReleaseInputs(root, recipe, {
    ...(version !== undefined && { version }),
    today: new Date().toISOString().slice(0, 10),
  });
}

/** The platforms asked for on the command line, each one of the recipe's. */
export function readPlatforms(names: readonly string[] | undefined, inputs: ReleaseInputs): PlatformName[] | undefined {
  if (names === undefined || names.length === 0) return undefined;
  const { reproduce, extend } = inputs.recipe.platforms;
  const known = [...reproduce, ...extend];
  for (const name of names) {
    if (!known.some((platform) => platform === name))
      throw usageError(`${inputs.recipe.image} has no platform ${name}`, {
        hint: `its platforms are ${known.join(", ")}`,
      });
  }
  return names.filter(isPlatformName);
}

function readDestination(push: string | undefined, outFolder: string, version: string, cwd: string): Destination {
  if (push === undefined) {
    const path = join(outFolder, "oci");
    return { kind: "layout", path, name: `oci:${shortPath(path, cwd)}:${version}` };
  }
  const reference = parseReference(push);
  if (reference.kind !== "registry" || reference.digest !== undefined || reference.tag !== undefined) {
    throw usageError(`--push takes HOST/NAME, without a tag or digest, and got ${push}`, {
      hint: `the tag is the release's version, ${version}`,
    });
  }
  return { kind: "registry", reference, name: `${push}:${version}` };
}

/** Writes a release's digests and build keys into it; only of a release that went out whole. */
async function recordExpected(outcome: Outcome, inputs: ReleaseInputs, cwd: string): Promise<void> {
  const { index } = outcome;
  if (!index) throw usageError("nothing was released, so there is nothing to record");
  const platforms: Record<PlatformName, { manifest: Digest; buildKey: Digest }> = {};
  for (const { platform, rebuilt, buildKey } of outcome.platforms)
    if (rebuilt) platforms[platform] = { manifest: rebuilt, buildKey };
  const recorded = recordedInputs(outcome, inputs);
  const expect = { index: index.digest, platforms, ...(recorded && { inputs: recorded }) };
  const release = { ...inputs.release, expect };
  await writeRelease(await findRoot(cwd), inputs.recipe.image, release, { replace: true });
}

/** 0 when released (or, for some platforms only, when nothing stands against it); 3 when upstream was out of reach; 1 otherwise. */
function exitCodeOfOutcome(outcome: Outcome, partial: boolean): number {
  const bad = outcome.platforms.filter(
    (platform) => platform.verdict === "build-failed" || platform.verdict === "different",
  );
  if (outcome.index || (partial && bad.length === 0)) return 0;
  return bad.length === 0 && outcome.platforms.some((platform) => platform.verdict === "upstream-unavailable") ? 3 : 1;
}

function shortPath(path: string, cwd: string): string {
  const short = relative(cwd, path);
  return short.startsWith("..") || isAbsolute(short) ? path : short;
}
