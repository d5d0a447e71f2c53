import { replaceHeader } from "../compare/encoder/gzip-member.ts";
import type { GzipEncoder } from "../compare/encoder/types.ts";
import { RefoundryError } from "../errors.ts";
import { run } from "../process/run.ts";
import { filter } from "./filter.ts";

const levels = [1, 2, 3, 4, 5, 6, 7, 8, 9];

/**
 * GNU gzip and pigz at levels 1 to 9, as far as these programs are on PATH; a program that
 * is missing or is another one by the same name gives none. pigz divides its input among
 * threads, and gives other bytes with one thread than with several (how many does not matter).
 */
export async function findProgramEncoders(signal?: AbortSignal): Promise<readonly GzipEncoder[]> {
  const [gzip, pigz] = await Promise.all([
    versionOf("gzip", /^gzip (\d[\w.-]*)$/m, signal),
    versionOf("pigz", /^pigz (\d[\w.-]*)$/m, signal),
  ]);
  return [
    ...(gzip === undefined ? [] : levels.map((level) => gnuGzip(gzip, level))),
    ...(pigz === undefined ? [] : levels.flatMap((level) => [pigzOf(pigz, level, 2), pigzOf(pigz, level, 1)])),
  ];
}

function gnuGzip(version: string, level: number): GzipEncoder {
  const name = `GNU gzip ${version} level ${level}`;
  return programEncoder({ name, family: "gnu-gzip", version, level }, "gzip", ["-n", `-${level}`, "-c"]);
}

function pigzOf(version: string, level: number, threads: 1 | 2): GzipEncoder {
  const name = `pigz ${version} level ${level}${threads === 1 ? ", one thread" : ""}`;
  const args = ["-n", `-${level}`, "-c", "-p", String(threads)];
  return programEncoder({ name, family: "pigz", version, level }, "pigz", args);
}

/** An encoder that is a program: content on standard input, gzip with a plain header on standard output. */
export function programEncoder(
  identity: Omit<GzipEncoder, "encode">,
  file: string,
  args: readonly string[],
): GzipEncoder {
  return {
    ...identity,
    encode: (chunks, header, signal) =>
      replaceHeader(filter({ file, args, ...(signal && { signal }) }, chunks), header, identity.name),
  };
}

async function versionOf(file: string, pattern: RegExp, signal?: AbortSignal): Promise<string | undefined> {
  try {
    const result = await run({ file, args: ["--version"], timeoutSeconds: 10, ...(signal && { signal }) });
    return result.exitCode === 0 && !result.timedOut ? pattern.exec(result.stdout)?.[1] : undefined;
  } catch (error) {
    // what cannot be started is not here
    if (error instanceof RefoundryError && error.kind === "infrastructure") return undefined;
    throw error;
  }
}
