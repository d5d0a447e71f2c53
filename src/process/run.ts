import { existsSync } from "node:fs";
import { execa } from "execa";
import { infrastructureError, interrupted } from "../errors.ts";
import { splitLines } from "./lines.ts";

/** A program to run: an argument vector, never a shell string. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  /** Added to our own environment; `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Given on standard input, which is closed otherwise. */
  readonly input?: string;
  readonly timeoutSeconds?: number;
  readonly signal?: AbortSignal;
  /** Called for each whole line; lines are cut at 1 MiB. */
  readonly onStdoutLine?: (line: string) => void;
  readonly onStderrLine?: (line: string) => void;
}

/** How a program ended. Output is kept up to `keptBytes` from its end. */
export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
  /** It was stopped because its time was up; then the exit code means nothing. */
  readonly timedOut: boolean;
}

const keptBytes = 256 * 1024;
const setpriv = "/usr/bin/setpriv";

/**
 * Runs a program and waits for it. Its whole process group ends when `signal` aborts,
 * the timeout strikes, or (on Linux) this process is killed.
 * Throws when it cannot be started or is interrupted; an exit code other than 0, and
 * that its time was up, are returned.
 */
export async function run(command: Command): Promise<CommandResult> {
  const { signal, timeoutSeconds } = command;
  if (signal?.aborted) throw interrupted();
  const startedAt = performance.now();
  const [file, args] = withParentDeathSignal(command.file, command.args);
  const subprocess = execa(file, args, {
    ...(command.env && { env: command.env }),
    ...(command.cwd !== undefined && { cwd: command.cwd }),
    ...(command.input === undefined ? { stdin: "ignore" as const } : { input: command.input }),
    ...(signal && { cancelSignal: signal }),
    ...(timeoutSeconds !== undefined && { timeout: timeoutSeconds * 1000 }),
    buffer: false,
    killDescendants: true,
    forceKillAfterDelay: 5000,
    reject: false,
    encoding: "buffer",
  });
  const [stdout, stderr, result] = await Promise.all([
    collect(subprocess.stdout, command.onStdoutLine),
    collect(subprocess.stderr, command.onStderrLine),
    subprocess,
  ]);
  if (signal?.aborted) throw interrupted();
  if (result.exitCode === undefined && result.signal === undefined && !result.timedOut) {
    throw infrastructureError(`${command.file} could not be started: ${result.originalMessage ?? "unknown reason"}`);
  }
  const exitCode = result.exitCode ?? 128;
  const notStarted = `setpriv: failed to execute ${command.file}: `;
  if (exitCode === 127 && stderr.startsWith(notStarted)) {
    throw infrastructureError(`${command.file} could not be started: ${stderr.slice(notStarted.length)}`);
  }
  return { exitCode, stdout, stderr, seconds: (performance.now() - startedAt) / 1000, timedOut: result.timedOut };
}

/**
 * Like {@link run}, for programs that must succeed: another exit code than 0 is an
 * infrastructure error that ends with the last lines the program wrote.
 */
export async function runChecked(command: Command, purpose: string): Promise<CommandResult> {
  const result = await run(command);
  if (result.timedOut)
    throw infrastructureError(
      `${purpose}: ${command.file} did not end within ${command.timeoutSeconds} seconds and was stopped`,
    );
  if (result.exitCode === 0) return result;
  const said = lastLines(result.stderr || result.stdout, 15);
  throw infrastructureError(
    `${purpose}: ${command.file} ended with exit code ${result.exitCode}${said && `\n${said}`}`,
  );
}

/** The last `count` lines of a text that are not blank, in order. */
export function lastLines(text: string, count: number): string {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .slice(-count)
    .join("\n");
}

/** Asks the kernel to kill the program when we die, even by SIGKILL. */
function withParentDeathSignal(file: string, args: readonly string[]): [string, readonly string[]] {
  if (process.platform !== "linux" || !existsSync(setpriv)) return [file, args];
  return [setpriv, ["--pdeathsig", "KILL", "--", file, ...args]];
}

async function collect(stream: AsyncIterable<Uint8Array>, onLine?: (line: string) => void): Promise<string> {
  const kept: string[] = [];
  let size = 0;
  for await (const line of splitLines(stream)) {
    onLine?.(line);
    kept.push(line);
    size += line.length + 1;
    while (size > keptBytes && kept.length > 1) size -= (kept.shift()?.length ?? 0) + 1;
  }
  return kept.join("\n");
}
