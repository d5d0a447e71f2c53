import { once } from "node:events";
import type { StricliProcess, CommandContext } from "@stricli/core";
import {
  errorCode,
  exitCodeOf,
  formatProblem,
  infrastructureError,
  internalErrorExitCode,
  RefoundryError,
} from "../errors.ts";
import { prettyJson } from "../json.ts";

/** What a command is given besides its arguments. */
export interface CliContext extends CommandContext {
  readonly process: StricliProcess & {
    readonly stdout: NodeJS.WriteStream;
    readonly stderr: NodeJS.WriteStream;
    readonly env: NodeJS.ProcessEnv;
  };
  readonly cwd: string;
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal;
}

/** Flags that every command has. */
export interface CommonFlags {
  readonly json?: boolean;
}

/** What a command ends with: the text for people, the document for machines, the exit code. */
export interface CommandResult {
  /** Where it may be long, in pieces. */
  readonly text: string | Iterable<string>;
  readonly document: unknown;
  readonly exitCode: number;
}

/**
 * Runs a command's work, prints its result on standard output (text, or with --json one
 * JSON document and nothing else), and turns failures into one message on standard
 * error and the documented exit code.
 */
export async function runCommand(
  context: CliContext,
  flags: CommonFlags,
  work: () => Promise<CommandResult>,
): Promise<void> {
  const { process } = context;
  try {
    const result = await work();
    await writePieces(process.stdout, flags.json ? prettyJson(result.document) : result.text);
    process.exitCode = result.exitCode;
  } catch (cause) {
    const error = asMachineFailure(cause);
    if (error instanceof RefoundryError) {
      for (const problem of error.problems) process.stderr.write(`refoundry: ${formatProblem(problem)}\n`);
      if (flags.json)
        process.stdout.write(
          `${JSON.stringify({ schema: "refoundry/error/v1", kind: error.kind, problems: error.problems }, null, 2)}\n`,
        );
      process.exitCode = exitCodeOf(error.kind);
      return;
    }
    const shown = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`refoundry: a defect of refoundry, please report it:\n${shown}\n`);
    process.exitCode = internalErrorExitCode;
  }
}

/** What the system says when the disk is full or a folder is not ours is no defect. */
function asMachineFailure(error: unknown): unknown {
  const path = error instanceof Error && "path" in error && typeof error.path === "string" ? ` (${error.path})` : "";
  switch (error instanceof RefoundryError ? undefined : errorCode(error)) {
    case "ENOSPC":
    case "EDQUOT":
      return infrastructureError(`no space left on the disk${path}`, {
        cause: error,
        hint: "free some space, or move the store with REFOUNDRY_STORE=/another/folder",
      });
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return infrastructureError(`this may not be written${path}`, {
        cause: error,
        hint: "choose folders that are yours with REFOUNDRY_CACHE, REFOUNDRY_STORE and --out",
      });
    case "ENOTDIR":
    case "EISDIR":
    case "EEXIST":
    case "ELOOP":
    case "ENAMETOOLONG":
      return infrastructureError(`a file is where a folder has to be, or the other way round${path}`, {
        cause: error,
        hint: "choose another place with REFOUNDRY_CACHE, REFOUNDRY_STORE, --out or oci:PATH",
      });
    default:
      return error;
  }
}

const pieceCharacters = 64 * 1024;

/** Writes a text, with a newline at its end unless it is empty, no faster than it is read. */
async function writePieces(stream: NodeJS.WriteStream, text: string | Iterable<string>): Promise<void> {
  let pending: string[] = [];
  let length = 0;
  let last = "\n";
  const flush = async (): Promise<void> => {
    const isTaken = stream.write(pending.join(""));
    [pending, length] = [[], 0];
    if (!isTaken) await once(stream, "drain");
  };
  for (const piece of typeof text === "string" ? [text] : text) {
    pending.push(piece);
    length += piece.length;
    last = piece.at(-1) ?? last;
    if (length >= pieceCharacters) await flush();
  }
  if (last !== "\n") pending.push("\n");
  if (pending.length > 0) await flush();
}
