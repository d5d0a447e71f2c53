import { expect, test } from "vitest";
import { infrastructureError, interrupted, mismatch, usageError } from "../../../src/errors.ts";
import { type Emit, runStage, silent, type Stage } from "../../../src/events.ts";
import { attemptRelease } from "../../../src/nightly/attempts.ts";
import { readSettings } from "../../../src/settings.ts";
import { sampleOutcome } from "../../support/outcomes.ts";

const { stageTimeouts } = readSettings({});
const often = { retries: 2, firstDelaySeconds: 0.001 };
const budget = {
  infra: often,
  fetch: { retries: 4, firstDelaySeconds: 0.001 },
  timeoutSeconds: 60,
  stageTimeouts,
  graceSeconds: 0.05,
};
const calm = new AbortController().signal;
const good = sampleOutcome("sample");

async function attempt(
  work: (attempt: number, signal: AbortSignal, emit: Emit) => Promise<typeof good>,
  limits = budget,
  signal = calm,
) {
  let attempts = 0;
  const retries: string[] = [];
  const result = await attemptRelease(
    (limit, emit) => work(++attempts, limit, emit),
    limits,
    { signal, emit: silent },
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
  ["usage", usageError("a mistake")],
  ["compare", mismatch("another digest")],
  ["nondeterminism", mismatch("another digest", { code: "not-deterministic" })],
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
  const once = { retries: 0, firstDelaySeconds: 0.001 };
  const late = await attempt(stuck, { ...budget, infra: once, timeoutSeconds: 0.05 });
  expect(late).toMatchObject({
    failure: { errorClass: "infra", message: expect.stringContaining("did not end within") },
  });
  const stop = new AbortController();
  const running = attempt(stuck, budget, stop.signal);
  stop.abort();
  await expect(running).rejects.toMatchObject({ kind: "interrupted" });
});

test("what is away is classed by the stage that missed it, and each class has its own budget", async () => {
  const failing = async (emit: Emit, stage: Stage): Promise<typeof good> =>
    runStage(emit, { stage, title: stage }, async () => {
      throw infrastructureError(`${stage} is away`);
    });
  for (const stage of ["source", "toolchain", "upstream"] as const)
    expect(await attempt((_, _signal, emit) => failing(emit, stage))).toMatchObject({
      attempts: 5,
      failure: { errorClass: "fetch", message: `${stage} is away` },
    });
  for (const stage of ["engine", "publish", "attest"] as const)
    expect(await attempt((_, _signal, emit) => failing(emit, stage))).toMatchObject({
      attempts: 3,
      failure: { errorClass: "infra" },
    });
  // four times a mirror, then the registry three times: neither takes the other's retries
  const both = await attempt((number, _signal, emit) => failing(emit, number <= 4 ? "source" : "publish"));
  expect(both).toMatchObject({ attempts: 7, failure: { errorClass: "infra" } });
});

test.each([
  ["source", "fetch", 5],
  ["publish", "infra", 3],
  ["build", "build", 1],
  ["smoke", "build", 1],
  ["compare", "compare", 1],
] as const)("the stage %s that hangs is stopped, and is a failure of class %s", async (stage, errorClass, attempts) => {
  const limits = { ...budget, stageTimeouts: { ...stageTimeouts, [stage]: 0.02 } };
  const stopped: boolean[] = [];
  const hangs = (_: number, signal: AbortSignal, emit: Emit): Promise<typeof good> =>
    runStage(emit, { stage, title: stage }, async () => {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      stopped.push(true);
      throw interrupted();
    });
  const message = `the stage ${stage} did not end within 0.02 seconds, and was stopped`;
  expect(await attempt(hangs, limits)).toMatchObject({ attempts, failure: { errorClass, message } });
  expect(stopped).toHaveLength(attempts);
  // one that does not even hear that it is to stop
  const deaf = (_: number, _signal: AbortSignal, emit: Emit): Promise<typeof good> =>
    runStage(emit, { stage, title: stage }, () => new Promise(() => {}));
  expect(await attempt(deaf, limits)).toMatchObject({ attempts, failure: { errorClass, message } });
});

test("a stage that ends in time stops no other that runs under the same name", async () => {
  const limits = {
    ...budget,
    fetch: { retries: 0, firstDelaySeconds: 0 },
    stageTimeouts: { ...stageTimeouts, source: 0.05 },
  };
  const two = async (_: number, signal: AbortSignal, emit: Emit): Promise<typeof good> => {
    const stage = { stage: "source", title: "source" } as const;
    await Promise.all([
      runStage(emit, stage, async () => ({ value: undefined, detail: "" })),
      runStage(
        emit,
        stage,
        () => new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(interrupted()))),
      ),
    ]);
    return good;
  };
  expect(await attempt(two, limits)).toMatchObject({ failure: { errorClass: "fetch" } });
});
