import { join } from "node:path";
import { usageError } from "../errors.ts";
import { createPrivateApt } from "./apt.ts";
import type { PinnedFile } from "./mirror.ts";
import { upstreamVersionOf } from "./version.ts";

/** A source package as a mirror has it. */
export interface ResolvedSourcePackage {
  /** The suite that has it. */
  readonly suite: string;
  /** Debian's version, epoch left out where file names leave it out. */
  readonly version: string;
  /** Its files: the .dsc and all that it lists. */
  readonly files: readonly PinnedFile[];
}

/**
 * Finds the source package of an upstream version in the first of some suites that has it:
 * `0.19.0` finds `0.19.0-1`. Throws a usage error that says which versions they have when
 * none has that one.
 */
export async function resolveSourcePackage(options: {
  readonly package: string;
  readonly suites: readonly string[];
  readonly version: string;
  readonly mirrorRoot: string;
  readonly temporaryFolder: string;
  readonly signal?: AbortSignal;
}): Promise<ResolvedSourcePackage> {
  const others: string[] = [];
  for (const suite of options.suites) {
    const { version, files } = await newestSource(suite, options);
    if (version === options.version || upstreamVersionOf(version) === options.version) return { suite, version, files };
    others.push(`Debian ${suite} has ${options.package} ${version}`);
  }
  throw usageError(`${others.join(", ")}, not ${options.version}`, {
    hint: "pin one of these, or name another suite in the source's import",
  });
}

/** The source package that a suite has now. */
export async function newestSource(
  suite: string,
  options: Omit<Parameters<typeof resolveSourcePackage>[0], "suites" | "version">,
): Promise<ResolvedSourcePackage> {
  const apt = await createPrivateApt({
    folder: join(options.temporaryFolder, `sources-${suite}`),
    mirrorRoot: options.mirrorRoot,
    suites: [suite],
    architectures: ["amd64"],
    sources: true,
    ...(options.signal && { signal: options.signal }),
  });
  await apt.update();
  const files = await apt.resolveSource(options.package);
  const dsc = files.find((file) => file.path.endsWith(".dsc"))?.path;
  return { suite, version: /_([^_/]+)\.dsc$/.exec(dsc ?? "")?.[1] ?? "", files };
}
