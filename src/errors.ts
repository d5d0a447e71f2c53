/** A place in a file that a person can open: line and column count from 1. */
export interface Location {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
}

/**
 * What kind of failure it was; decides the exit code.
 * - `mismatch` (1): the images are not what the recipe promises
 * - `usage` (2): the command line, a recipe or a lock is wrong
 * - `infrastructure` (3): engine, network, registry, disk
 * - `interrupted` (130): someone asked us to stop
 */
export type FailureKind = "mismatch" | "usage" | "infrastructure" | "interrupted";

const exitCodes: Readonly<Record<FailureKind, number>> = {
  mismatch: 1,
  usage: 2,
  infrastructure: 3,
  interrupted: 130,
};

/** Exit code of a failure nobody foresaw: a defect of refoundry's own (EX_SOFTWARE). */
export const internalErrorExitCode = 70;

/** The documented exit code of a kind of failure. */
export function exitCodeOf(kind: FailureKind): number {
  return exitCodes[kind];
}

/** Problems that callers tell apart from others of their kind. */
export type ProblemCode = "not-deterministic" | "tag-taken";

/** One problem: what is wrong, where, and what to do about it. */
export interface Problem {
  readonly code?: ProblemCode;
  readonly message: string;
  readonly location?: Location;
  /** What the reader should do now. */
  readonly hint?: string;
}

/**
 * A failure with a cause outside this program. Everything that is thrown on purpose
 * is one of these; anything else that reaches the top is a defect.
 */
export class RefoundryError extends Error {
  readonly kind: FailureKind;
  readonly problems: readonly Problem[];
  /** The stage in which it was thrown, where it was in one: the innermost. */
  stage: string | undefined;

  constructor(kind: FailureKind, problems: readonly Problem[], options?: { cause?: unknown }) {
    super(problems.map(formatProblem).join("\n"), options);
    this.name = "RefoundryError";
    this.kind = kind;
    this.problems = problems;
  }
}

interface FailureDetail {
  readonly code?: ProblemCode;
  readonly location?: Location;
  readonly hint?: string;
  readonly cause?: unknown;
}

function failure(kind: FailureKind, message: string, detail: FailureDetail = {}): RefoundryError {
  const { code, location, hint, cause } = detail;
  const problem: Problem = { ...(code && { code }), message, ...(location && { location }), ...(hint && { hint }) };
  return new RefoundryError(kind, [problem], cause === undefined ? {} : { cause });
}

/** The images are not what the recipe promises (exit 1). */
export function mismatch(message: string, detail?: FailureDetail): RefoundryError {
  return failure("mismatch", message, detail);
}

/** The command line, a recipe or a lock is wrong (exit 2). */
export function usageError(message: string, detail?: FailureDetail): RefoundryError {
  return failure("usage", message, detail);
}

/** Engine, network, registry or disk failed us (exit 3). */
export function infrastructureError(message: string, detail?: FailureDetail): RefoundryError {
  return failure("infrastructure", message, detail);
}

/** Somebody asked us to stop (exit 130). */
export function interrupted(): RefoundryError {
  return failure("interrupted", "interrupted; run the same command again to go on where it stopped");
}

/** `file:line:column`, or as much of it as is known. */
export function formatLocation(location: Location): string {
  return [location.file, location.line, location.column].filter((part) => part !== undefined).join(":");
}

/** One problem as text: `where: what` and the hint on a line of its own. */
export function formatProblem(problem: Problem): string {
  const where = problem.location ? `${formatLocation(problem.location)}: ` : "";
  const hint = problem.hint ? `\n  ${problem.hint.replaceAll("\n", "\n  ")}` : "";
  return `${where}${problem.message}${hint}`;
}

/** The system's error code (`ENOENT`, `ECONNREFUSED`, ...) of a thrown value, if it has one. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** A thrown value's message, whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
