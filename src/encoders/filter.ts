import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Writable } from "node:stream";
import { infrastructureError, interrupted, messageOf } from "../errors.ts";

/** A program that reads standard input to its end and writes standard output. */
export interface Filter {
  readonly file: string;
  readonly args: readonly string[];
  readonly signal?: AbortSignal;
}

const keptStderr = 4096;

/**
 * Gives `input` to a program and what it writes, as it writes it. The program ends when
 * the reader stops early or the signal aborts, and by itself when we die, as its input ends.
 * Throws when it cannot be started, fails or is interrupted, and what `input` throws.
 */
export async function* filter(
  { file, args, signal }: Filter,
  input: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  if (signal?.aborted) throw interrupted();
  const child = spawn(file, args, { stdio: ["pipe", "pipe", "pipe"] });
  let startFailure: unknown;
  child.on("error", (error) => {
    startFailure = error;
  });
  const ended = once(child, "close").catch(() => undefined);
  const kill = (): void => void child.kill("SIGKILL");
  signal?.addEventListener("abort", kill, { once: true });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString("utf8")).slice(-keptStderr);
  });
  const fed = feed(input, child.stdin, kill);
  try {
    let readFailure: unknown;
    try {
      yield* child.stdout as AsyncIterable<Uint8Array>;
    } catch (error) {
      // that the pipe closed early has a cause, which is told below
      readFailure = error;
    }
    await ended;
    const inputFailure = await fed;
    if (signal?.aborted) throw interrupted();
    if (inputFailure) throw inputFailure.error;
    if (startFailure !== undefined)
      throw infrastructureError(`${file} could not be started: ${messageOf(startFailure)}`);
    if (child.exitCode !== 0)
      throw infrastructureError(
        `${file} ended with ${child.exitCode === null ? "a signal" : `exit code ${child.exitCode}`}: ${said.trim()}`,
      );
    if (readFailure !== undefined) throw readFailure;
  } finally {
    signal?.removeEventListener("abort", kill);
    kill();
    await Promise.all([ended, fed]);
  }
}

/** Feeds a program; gives what the input itself threw, and ends the program then. */
async function feed(
  input: AsyncIterable<Uint8Array>,
  stdin: Writable,
  kill: () => void,
): Promise<{ readonly error: unknown } | undefined> {
  // a program that ends before its input does tells why by its exit code
  stdin.on("error", () => {});
  try {
    for await (const chunk of input) {
      await new Promise<void>((resolve) => void stdin.write(chunk, () => resolve()));
      if (stdin.destroyed) return undefined;
    }
    stdin.end();
    return undefined;
  } catch (error) {
    kill();
    return { error };
  }
}
