import { isAbsolute, join, relative, resolve } from "node:path";
import { usageError } from "../errors.ts";
import { isPlatformName, type PlatformName } from "../oci/platform.ts";
import { parseReference } from "../oci/reference.ts";
import type { Outcome } from "../outcome.ts";
import { makeFolder } from "../process/make-folder.ts";
import { findRoot, loadReleaseInputs, parseRecipeArgument } from "../recipe/load.ts";
import type { Destination } from "../rebuild/destination.ts";
import { extendRelease } from "../rebuild/extend-release.ts";
import { rebuildRelease } from "../rebuild/rebuild-release.ts";
import { recordRelease } from "../rebuild/record-release.ts";
import { writeResults } from "../rebuild/write-results.ts";
import type { Factory, ReleaseInputs } from "../rebuild/types.ts";
import type { CliContext, CommonFlags } from "./context.ts";

/** Flags of `refoundry rebuild`. */
export interface RebuildFlags extends CommonFlags {
  readonly platform?: readonly string[];
  readonly force?: boolean;
  readonly push?: string;
  readonly out?: string;
  readonly key?: string;
  readonly progress?: string;
  /** Every release of every recipe. */
  readonly all?: boolean;
  /** Nothing is fetched but from the store and the escrow. */
  readonly offline?: boolean;
  readonly escrow?: string;
  /** A capsule that holds the recipe too. */
  readonly fromCapsule?: string;
  /** Write what came out into the release. */
  readonly record?: boolean;
  /** Platforms that the recipe does not have. */
  readonly extend?: readonly string[];
  readonly reason?: string;
}

/** Which release is rebuilt, and how. */
export interface RebuildAsked {
  readonly loaded: ReleaseInputs;
  readonly build: "where due" | "never";
  /** Waivers hold that expired since the release went out: it is asked for what it gave then. */
  readonly asItWas?: boolean;
}

/** Rebuilds one release as the flags say, writes its results, and records it where that is asked for. */
export async function rebuildWith(
  context: CliContext,
  flags: RebuildFlags,
  { loaded, build, asItWas = false }: RebuildAsked,
  factory: Factory,
): Promise<{ readonly outcome: Outcome; readonly exitCode: number }> {
  const { extend = [] } = flags;
  const { inputs, tag } = extend.length > 0 ? extendRelease(loaded, extend) : { inputs: loaded, tag: undefined };
  const platforms = readPlatforms(flags.platform, inputs);
  const outFolder = join(resolve(context.cwd, flags.out ?? "out"), inputs.recipe.image, inputs.release.version);
  // a key or a folder that cannot be used is better known before the builds than after
  await factory.signer();
  await makeFolder(outFolder);
  const now = new Date();
  const rebuilt = await rebuildRelease(
    {
      inputs,
      force: flags.force ?? false,
      build,
      ...(platforms && { platforms }),
      destination: readDestination(flags.push, outFolder, tag ?? inputs.release.version, context.cwd),
      report: shortPath(join(outFolder, "report.html"), context.cwd),
      startedAt: now.toISOString(),
      today: asItWas ? "0000-01-01" : now.toISOString().slice(0, 10),
      ...(tag !== undefined && { tag }),
      ...(flags.reason !== undefined && { reason: flags.reason }),
    },
    factory,
  );
  const outcome = await writeResults(rebuilt, outFolder, shortPath(outFolder, context.cwd), factory.emit);
  if (flags.record) {
    if (!outcome.index) throw usageError("nothing was released, so there is nothing to record");
    await recordRelease(await findRoot(context.cwd), outcome, inputs);
  }
  return { outcome, exitCode: exitCodeOfOutcome(outcome, platforms !== undefined) };
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
