import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { infrastructureError, interrupted, messageOf, RefoundryError } from "../errors.ts";
import type { ErrorClass } from "../nightly-run.ts";
import type { Outcome } from "../outcome.ts";

/** How a release's rebuild ended, after as many attempts as its failures allowed. */
export interface Attempted {
  readonly attempts: number;
  readonly outcome?: Outcome;
  readonly failure?: { readonly errorClass: ErrorClass; readonly message: string };
}

/** How often and how long a release is tried. */
export interface AttemptBudget {
  /** Attempts after the first, for what may pass by itself. */
  readonly retries: number;
  /** Seconds for one attempt. */
  readonly timeoutSeconds: number;
  /** Seconds before the first retry; doubles each time. */
  readonly firstDelaySeconds: number;
}

/** What may pass by itself: a network, a mirror, a registry. A build that fails will fail again. */
const passing: ReadonlySet<ErrorClass> = new Set<ErrorClass>(["infra", "fetch"]);

/**
 * Runs one release's rebuild, again while it fails for reasons that may pass. Never
 * throws but for an interrupt: what goes wrong with one release is that release's result.
 */
export async function attemptRelease(
  work: (signal: AbortSignal) => Promise<Outcome>,
  budget: AttemptBudget,
  signal: AbortSignal,
  onRetry: (message: string, seconds: number) => void,
): Promise<Attempted> {
  for (let attempts = 1; ; attempts++) {
    const tried = await attemptOnce(work, budget.timeoutSeconds, signal);
    const { failure } = tried;
    if (!failure || !passing.has(failure.errorClass) || attempts > budget.retries) return { attempts, ...tried };
    const seconds = budget.firstDelaySeconds * 2 ** (attempts - 1);
    onRetry(failure.message, seconds);
    await sleep(seconds * 1000, undefined, { signal }).catch(() => {
      throw interrupted();
    });
  }
}

async function attemptOnce(
  work: (signal: AbortSignal) => Promise<Outcome>,
  timeoutSeconds: number,
  signal: AbortSignal,
): Promise<Omit<Attempted, "attempts">> {
  const limit = AbortSignal.timeout(timeoutSeconds * 1000);
  try {
    const running = work(AbortSignal.any([signal, limit]));
    // what does not stop when it is told to must not hold up the night
    running.catch(() => {});
    const outcome = await Promise.race([running, neverLater(limit)]);
    const failure = failureOf(outcome);
    return { outcome, ...(failure && { failure }) };
  } catch (error) {
    if (signal.aborted) throw interrupted();
    const late = limit.aborted;
    const cause = late
      ? infrastructureError(`it did not end within ${timeoutSeconds} seconds, and was stopped`)
      : error;
    return { failure: { errorClass: classOf(cause), message: messageOf(cause) } };
  }
}

const graceMs = 60_000;

/** Throws a while after a limit has passed. */
async function neverLater(limit: AbortSignal): Promise<never> {
  await once(limit, "abort");
  await sleep(graceMs, undefined, { ref: false });
  throw infrastructureError("it did not stop when its time was up");
}

/** A failure that was thrown, by class. What is no error of ours is a defect, and tried again like the weather. */
function classOf(error: unknown): ErrorClass {
  if (!(error instanceof RefoundryError)) return "infra";
  if (error.kind === "usage") return "recipe";
  return error.kind === "mismatch" ? "compare" : "infra";
}

function failureOf(outcome: Outcome): Attempted["failure"] {
  if (outcome.index) return undefined;
  const bad = (verdict: string): Outcome["platforms"][number] | undefined =>
    outcome.platforms.find((platform) => platform.verdict === verdict);
  const found = bad("build-failed") ?? bad("different") ?? bad("upstream-unavailable");
  const classes: Readonly<Record<string, ErrorClass>> = {
    "build-failed": "build",
    different: "compare",
    "upstream-unavailable": "fetch",
  };
  if (!found) return { errorClass: "compare", message: "nothing was released" };
  return { errorClass: classes[found.verdict] ?? "compare", message: `${found.platform}: ${found.explanation}` };
}
