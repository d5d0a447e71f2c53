import pLimit from "p-limit";
import type { Mirror } from "../debian/mirror.ts";
import { messageOf, RefoundryError } from "../errors.ts";
import type { LoadedRelease, LoadedToolchain } from "../recipe/load.ts";

/** Package and source files that releases pin, and which of them the mirror has no more. */
export interface PackageAnswers {
  /** Requests that were made. */
  readonly asked: number;
  /** Paths below the mirror's root. */
  readonly gone: ReadonlySet<string>;
  /** Why not all of them could be asked for. */
  readonly failure?: string;
}

const atOnce = 8;

/** Files of a Debian archive that a release and all it stands on are made from: paths below a mirror's root, each once. */
export function pinnedPaths(inputs: LoadedRelease): string[] {
  const paths = new Set<string>();
  const add = (files: readonly { readonly path: string }[] | undefined): void => {
    for (const { path } of files ?? []) paths.add(path);
  };
  const addMaker = ({ lock, release }: Pick<LoadedToolchain, "lock" | "release">): void => {
    add(lock?.packages);
    if (release) addRelease(release);
  };
  const addRelease = ({ release, toolchainLock, toolchainRelease, contexts }: LoadedRelease): void => {
    add(release.source.debian?.files);
    add(release.upstream.debian);
    addMaker({ ...(toolchainLock && { lock: toolchainLock }), ...(toolchainRelease && { release: toolchainRelease }) });
    for (const context of Object.values(contexts)) {
      if (context.kind === "source") add(context.pin.debian?.files);
      else if (context.kind === "recipe") addRelease(context.release);
      else addMaker(context);
    }
  };
  addRelease(inputs);
  return [...paths];
}

/**
 * Asks a mirror for each of the files without fetching any, eight at a time over connections
 * that stay open. The first that cannot be asked ends it: the mirror is away, not the files.
 */
export async function askPackages(
  paths: readonly string[],
  mirror: Pick<Mirror, "hasFile">,
  seconds: number,
  signal: AbortSignal,
): Promise<PackageAnswers> {
  const limit = pLimit(atOnce);
  const stop = new AbortController();
  const time = AbortSignal.timeout(seconds * 1000);
  const joined = AbortSignal.any([signal, stop.signal, time]);
  const gone = new Set<string>();
  const failures: string[] = [];
  let asked = 0;
  const ask = async (path: string): Promise<void> => {
    if (joined.aborted) return;
    asked++;
    try {
      if (!(await mirror.hasFile(path, joined))) gone.add(path);
    } catch (error) {
      if (signal.aborted || !(error instanceof RefoundryError)) throw error;
      if (!stop.signal.aborted)
        failures.push(time.aborted ? `they were not all there within ${seconds} seconds` : messageOf(error));
      stop.abort();
    }
  };
  await Promise.all(paths.map((path) => limit(() => ask(path))));
  const [failure] = failures;
  return { asked, gone, ...(failure !== undefined && { failure }) };
}
