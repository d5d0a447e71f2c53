import { setTimeout as sleep } from "node:timers/promises";
import pRetry from "p-retry";
import { infrastructureError, interrupted } from "../../errors.ts";
import { TransientFailure } from "./failures.ts";

/** How often and how patiently an operation is tried again. */
export interface RetryPolicy {
  /** Tries after the first one. */
  readonly retries: number;
  /** Milliseconds before the first retry; doubles each time, up to 20 of them. */
  readonly firstDelay: number;
  /** Longest wait, in seconds, that a server may ask for with Retry-After. */
  readonly longestWait: number;
}

/** The policy for real registries: about 15 seconds of patience, more if the server names a time. */
export const defaultRetryPolicy: RetryPolicy = { retries: 4, firstDelay: 500, longestWait: 60 };

/**
 * Runs `work` again while it throws {@link TransientFailure}. `work` must make whatever
 * body it sends afresh. Throws the failure itself when it does not pass.
 */
export async function retried<T>(work: () => Promise<T>, policy: RetryPolicy, signal?: AbortSignal): Promise<T> {
  let attempts = 0;
  try {
    return await pRetry(
      async () => {
        attempts++;
        return work();
      },
      {
        retries: policy.retries,
        minTimeout: policy.firstDelay,
        maxTimeout: policy.firstDelay * 20,
        randomize: true,
        ...(signal && { signal }),
        shouldRetry: ({ error }) => error instanceof TransientFailure && (error.retryAfter ?? 0) <= policy.longestWait,
        onFailedAttempt: async ({ error, retriesLeft, retryDelay }) => {
          if (!(error instanceof TransientFailure) || retriesLeft === 0 || error.retryAfter === undefined) return;
          if (error.retryAfter > policy.longestWait) return;
          await sleep(Math.max(0, error.retryAfter * 1000 - retryDelay), undefined, signal && { signal });
        },
      },
    );
  } catch (error) {
    if (signal?.aborted) throw interrupted();
    if (!(error instanceof TransientFailure)) throw error;
    throw attempts === 1 && error.retryAfter === undefined ? error.failure : exhausted(error, attempts);
  }
}

function exhausted({ failure, retryAfter }: TransientFailure, attempts: number): Error {
  const [problem] = failure.problems;
  if (!problem) return failure;
  const wait = retryAfter === undefined ? "" : `; it asks to wait ${Math.ceil(retryAfter)} seconds`;
  return infrastructureError(`${problem.message}; tried ${attempts} time${attempts === 1 ? "" : "s"}${wait}`, {
    ...(problem.hint !== undefined && { hint: problem.hint }),
    cause: failure,
  });
}

/**
 * Seconds of a Retry-After header (RFC 9110, 10.2.3): a number of seconds or a date.
 * Undefined when there is none or it cannot be read.
 */
export function parseRetryAfter(value: string | undefined, now: number = Date.now()): number | undefined {
  if (value === undefined) return undefined;
  if (/^\s*[0-9]{1,9}\s*$/.test(value)) return Number(value);
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, (at - now) / 1000);
}
