import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { interrupted } from "../errors.ts";
import type { Emit, Stage } from "../events.ts";
import type { NightlyRelease } from "../nightly-run.ts";
import type { Outcome } from "../outcome.ts";
import { failureOfError, failureOfLateness, failureOfOutcome } from "./failures.ts";
import { type StageTimeouts, watchStages } from "./stage-limits.ts";

/** How a release's rebuild ended, after as many attempts as its failures allowed. */
export interface Attempted {
  readonly attempts: number;
  readonly outcome?: Outcome;
  readonly failure?: NonNullable<NightlyRelease["failure"]>;
}

/** How often one kind of failure is tried again, and how soon. */
export interface RetryBudget {
  /** Attempts after the first. */
  readonly retries: number;
  /** Seconds before the first retry; doubles each time. */
  readonly firstDelaySeconds: number;
}

/** How often and how long a release is tried. */
export interface AttemptBudget {
  /** What may pass by itself on this side: the engine, the registry that is pushed to, the disk. */
  readonly infra: RetryBudget;
  /** And on the other: servers of sources, packages and upstream images. */
  readonly fetch: RetryBudget;
  /** Seconds for one attempt. */
  readonly timeoutSeconds: number;
  readonly stageTimeouts: StageTimeouts;
  /** Seconds that an attempt has to stop in when it is told to. */
  readonly graceSeconds: number;
}

/** Runs work with a signal, and a sink that sees its stages. */
type Work = (signal: AbortSignal, emit: Emit) => Promise<Outcome>;

/**
 * Runs one release's rebuild, again while it fails for reasons that may pass: each class of
 * those has a budget of its own. Never throws but for an interrupt: what goes wrong with
 * one release is that release's result.
 */
export async function attemptRelease(
  work: Work,
  budget: AttemptBudget,
  { signal, emit }: { readonly signal: AbortSignal; readonly emit: Emit },
  onRetry: (message: string, seconds: number) => void,
): Promise<Attempted> {
  const failed = { infra: 0, fetch: 0 };
  for (let attempts = 1; ; attempts++) {
    const tried = await attemptOnce(work, budget, signal, emit);
    const errorClass = tried.failure?.errorClass;
    if (!tried.failure || (errorClass !== "infra" && errorClass !== "fetch")) return { attempts, ...tried };
    const { retries, firstDelaySeconds } = budget[errorClass];
    if (failed[errorClass] >= retries) return { attempts, ...tried };
    const seconds = firstDelaySeconds * 2 ** failed[errorClass];
    failed[errorClass]++;
    onRetry(tried.failure.message, seconds);
    await sleep(seconds * 1000, undefined, { signal }).catch(() => {
      throw interrupted();
    });
  }
}

async function attemptOnce(
  work: Work,
  budget: AttemptBudget,
  signal: AbortSignal,
  emit: Emit,
): Promise<Omit<Attempted, "attempts">> {
  const limit = new AbortController();
  let late: Attempted["failure"];
  const stop = (stage: Stage | undefined, message: string): void => {
    late ??= failureOfLateness(stage, message);
    limit.abort();
  };
  const watch = watchStages(emit, budget.stageTimeouts, (stage, seconds) =>
    stop(stage, `the stage ${stage} did not end within ${seconds} seconds, and was stopped`),
  );
  const whole = setTimeout(
    () => stop(watch.running(), `it did not end within ${budget.timeoutSeconds} seconds, and was stopped`),
    Math.min(budget.timeoutSeconds * 1000, 2 ** 31 - 1),
  );
  try {
    const running = work(AbortSignal.any([signal, limit.signal]), watch.emit);
    // what does not stop when it is told to must not hold up the night
    running.catch(() => {});
    const outcome = await Promise.race([running, throwAfter(limit.signal, budget.graceSeconds)]);
    // some stages take being stopped for a failure of their own
    const failure = late ?? failureOfOutcome(outcome);
    return { outcome, ...(failure && { failure }) };
  } catch (error) {
    if (signal.aborted) throw interrupted();
    return { failure: late ?? failureOfError(error) };
  } finally {
    clearTimeout(whole);
    watch.close();
  }
}

/** Throws a while after a limit has passed. */
async function throwAfter(limit: AbortSignal, seconds: number): Promise<never> {
  await once(limit, "abort");
  await sleep(seconds * 1000, undefined, { ref: false });
  throw new Error("it did not stop when its time was up");
}
