import { programEncoder } from "./programs.ts";
import type { GzipEncoder } from "../compare/encoder/types.ts";
import type { Factory } from "../rebuild/types.ts";
import { type BuiltGoEncoder, ensureGoProgram, type GoRelease } from "./go-program.ts";

// deflate was the same from Go 1.7 to 1.26, and another from 1.27 on
const releases: readonly GoRelease[] = ["1.26", "1.27"];

/** The toolchains that these encoders are built in. */
export const encoderToolchains = releases.map((release) => `go-${release}`);

// -1, the default, is 6
const levels = [-2, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

/**
 * compress/gzip of Go up to 1.26 and of Go 1.27, at all its levels: programs that the
 * factory builds itself, without network, in the pinned toolchains `go-1.26` and
 * `go-1.27`, and keeps in the store by what they are built from. With both in the store no
 * engine is started. Throws when a build fails, or gives a program of another release.
 */
export async function ensureGoEncoders(
  factory: Factory,
  signal: AbortSignal = factory.signal,
): Promise<readonly GzipEncoder[]> {
  const encoders: GzipEncoder[] = [];
  for (const release of releases) encoders.push(...goEncoders(await ensureGoProgram(release, { ...factory, signal })));
  return encoders;
}

/** The encoders of one program. */
export function goEncoders({ release, path }: Pick<BuiltGoEncoder, "release" | "path">): readonly GzipEncoder[] {
  return levels.map((level) => {
    const name = `Go ${release} level ${level}${level === -2 ? " (Huffman only)" : ""}`;
    return programEncoder({ name, family: "go", version: release, level }, path, [`-level=${level}`]);
  });
}
