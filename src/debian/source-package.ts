import { usageError } from "../errors.ts";
import { createPrivateApt } from "./apt.ts";
import type { PinnedFile } from "./mirror.ts";

/** A source package as a mirror has it. */
export interface ResolvedSourcePackage {
  /** Debian's version, epoch left out where file names leave it out. */
  readonly version: string;
  /** Its files: the .dsc and all that it lists. */
  readonly files: readonly PinnedFile[];
}

/**
 * Finds the source package of an upstream version in a suite: `0.19.0` finds `0.19.0-1`.
 * Throws a usage error that says which version the suite has when it is another.
 */
export async function resolveSourcePackage(options: {
  readonly package: string;
  readonly suite: string;
  readonly version: string;
  readonly mirrorRoot: string;
  readonly temporaryFolder: string;
  readonly signal?: AbortSignal;
}): Promise<ResolvedSourcePackage> {
  const apt = await createPrivateApt({
    folder: options.temporaryFolder,
    mirrorRoot: options.mirrorRoot,
    suites: [options.suite],
    architectures: ["amd64"],
    sources: true,
    ...(options.signal && { signal: options.signal }),
  });
  await apt.update();
  const files = await apt.resolveSource(options.package);
  const dsc =
    files
      .find((file) => file.path.endsWith(".dsc"))
      ?.path.split("/")
      .at(-1) ?? "";
  const version = /^[^_]+_(.+)\.dsc$/.exec(dsc)?.[1] ?? "";
  const upstream = version.replace(/-[^-]*$/, "");
  if (version !== options.version && upstream !== options.version) {
    throw usageError(`Debian ${options.suite} has ${options.package} ${version}, not ${options.version}`, {
      hint: `pin ${upstream}, or name another suite in the source's import`,
    });
  }
  return { version, files };
}
