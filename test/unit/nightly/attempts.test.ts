import { expect, test } from "vitest";
import { infrastructureError, mismatch, usageError } from "../../../src/errors.ts";
import { attemptRelease } from "../../../src/nightly/attempts.ts";
import { sampleOutcome } from "../../support/outcomes.ts";

const budget = { retries: 2, timeoutSeconds: 60, firstDelaySeconds: 0.001 };
const calm = new AbortController().signal;
const good = sampleOutcome("sample");

async function attempt(
  work: (attempt: number, signal: AbortSignal) => Promise<typeof good>,
  limits = budget,
  signal = calm,
) {
  let attempts = 0;
  const retries: string[] = [];
  const result = await attemptRelease(
    (limit) => work(++attempts, limit),
    limits,
    signal,
    (message) => retries.push(message),
  );
  return { ...result, retries };
}

test("what may pass by itself is tried again, with longer pauses, and not for ever", async () => {
  const passing = await attempt(async (number) => {
    if (number < 3) throw infrastructureError("the registry is away");
    return good;
  });
  expect(passing).toMatchObject({ attempts: 3, retries: ["the registry is away", "the registry is away"] });
  expect(passing.failure).toBeUndefined();
  const lasting = await attempt(async () => {
    throw infrastructureError("the registry is away");
  });
  expect(lasting).toMatchObject({ attempts: 3, failure: { errorClass: "infra", message: "the registry is away" } });
});

test.each([
  ["recipe", usageError("a mistake")],
  ["compare", mismatch("another digest")],
])("a failure of class %s is not tried again", async (errorClass, error) => {
  const result = await attempt(async () => {
    throw error;
  });
  expect(result).toMatchObject({ attempts: 1, failure: { errorClass } });
});

test("an outcome without a release is a failure of its worst platform", async () => {
  const failed = {
    ...good,
    index: null,
    platforms: good.platforms.map((platform) => ({ ...platform, verdict: "build-failed" as const })),
  };
  expect(await attempt(async () => failed)).toMatchObject({ attempts: 1, failure: { errorClass: "build" } });
});

test("an attempt that takes too long is stopped, and an interrupt ends it all", async () => {
  const stuck = (_: number, signal: AbortSignal): Promise<typeof good> =>
    new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("stopped"))));
  const late = await attempt(stuck, { ...budget, retries: 0, timeoutSeconds: 0.05 });
  expect(late).toMatchObject({
    failure: { errorClass: "infra", message: expect.stringContaining("did not end within") },
  });
  const stop = new AbortController();
  const running = attempt(stuck, budget, stop.signal);
  stop.abort();
  await expect(running).rejects.toMatchObject({ kind: "interrupted" });
});
