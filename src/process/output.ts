import { execa } from "execa";
import { infrastructureError, interrupted } from "../errors.ts";
import { type Command, lastLines } from "./run.ts";

const keptErrors = 64 * 1024;

/**
 * Runs a program and gives its standard output as it comes, bytes as they are. The
 * iteration ends with a throw when the program fails, is interrupted or takes too long;
 * leaving it early ends the program.
 */
export async function* openOutput(
  command: Omit<Command, "onStdoutLine" | "onStderrLine">,
  purpose: string,
): AsyncGenerator<Uint8Array> {
  const { file, args, signal, timeoutSeconds } = command;
  if (signal?.aborted) throw interrupted();
  const subprocess = execa(file, [...args], {
    ...(command.env && { env: command.env }),
    ...(command.cwd !== undefined && { cwd: command.cwd }),
    ...(command.input === undefined ? { stdin: "ignore" as const } : { input: command.input }),
    ...(signal && { cancelSignal: signal }),
    ...(timeoutSeconds !== undefined && { timeout: timeoutSeconds * 1000 }),
    // what is told on standard error is kept, and only its beginning
    buffer: { stdout: false, stderr: true },
    maxBuffer: keptErrors,
    killDescendants: true,
    forceKillAfterDelay: 5000,
    reject: false,
    encoding: "buffer",
  });
  let isRead = false;
  try {
    for await (const chunk of subprocess.stdout as AsyncIterable<Uint8Array>) yield chunk;
    isRead = true;
  } finally {
    // left early, or its output broke off
    if (!isRead) {
      subprocess.kill();
      await subprocess;
    }
  }
  const result = await subprocess;
  if (signal?.aborted) throw interrupted();
  if (result.exitCode === 0) return;
  const said = lastLines(Buffer.from(result.stderr ?? []).toString("utf8"), 10);
  throw infrastructureError(`${purpose}: ${file} failed (exit code ${result.exitCode ?? "none"})\n${said}`);
}
