import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createPrivateApt, type ResolvedPackage } from "../debian/apt.ts";
import { infrastructureError } from "../errors.ts";
import type { Toolchain } from "../recipe/schema.ts";

/** A toolchain that is a package list. */
export type DebianToolchain = Extract<Toolchain, { debian: unknown }>["debian"];

/** A package list resolved against a mirror: what a lock holds, but for the digest of what it makes. */
export interface ResolvedToolchain {
  readonly suite: string;
  /** Date of the newest of the suites' Release files, seconds. */
  readonly epoch: number;
  readonly packages: readonly ResolvedPackage[];
}

/**
 * Resolves a package list, with all that is essential and everything it depends on
 * (no recommendations), against the suites as the mirror has them now.
 */
export async function resolveToolchain(
  toolchain: DebianToolchain,
  options: { readonly mirrorRoot: string; readonly temporaryFolder: string; readonly signal?: AbortSignal },
): Promise<ResolvedToolchain> {
  const suites = [toolchain.suite, ...toolchain.also];
  const apt = await createPrivateApt({
    folder: options.temporaryFolder,
    mirrorRoot: options.mirrorRoot,
    suites,
    architectures: [toolchain.architecture, ...toolchain.foreign],
    ...(options.signal && { signal: options.signal }),
  });
  await apt.update();
  const essential = `?narrow(?architecture(${toolchain.architecture}),?essential)`;
  const packages = await apt.resolveInstall([essential, ...toolchain.packages]);
  const order = (file: ResolvedPackage): string => `${file.name}:${file.architecture}`;
  return {
    suite: toolchain.suite,
    epoch: Math.max(...(await Promise.all(suites.map((suite) => releaseDate(apt.listsFolder, suite))))),
    packages: packages.toSorted((a, b) => (order(a) < order(b) ? -1 : 1)),
  };
}

async function releaseDate(listsFolder: string, suite: string): Promise<number> {
  const name = (await readdir(listsFolder)).find((file) => file.endsWith(`_${suite}_InRelease`));
  const text = name === undefined ? "" : await readFile(join(listsFolder, name), "utf8");
  const date = /^Date: (.+)$/m.exec(text)?.[1];
  const seconds = Date.parse(date ?? "") / 1000;
  if (!Number.isSafeInteger(seconds)) throw infrastructureError(`the mirror's Release file of ${suite} has no date`);
  return seconds;
}

/** A lock's file name: the suite and the day of the newest Release file, as in `trixie-20260912`. */
export function lockNameOf(resolved: ResolvedToolchain): string {
  const day = new Date(resolved.epoch * 1000).toISOString().slice(0, 10).replaceAll("-", "");
  return `${resolved.suite}-${day}`;
}
