import fc from "fast-check";
import { expect, test } from "vitest";
import { createBuildPlaces, freePlaces } from "../../../src/rebuild/build-places.ts";

const calm = new AbortController().signal;

test("memory that running builds set aside is not given away twice", () => {
  const limits = { jobs: 8, memoryPerBuild: 2 };
  expect(freePlaces(0, limits, { before: 9, now: 9 })).toBe(4);
  // they just began, and have not taken theirs yet
  expect(freePlaces(3, limits, { before: 9, now: 9 })).toBe(1);
  expect(freePlaces(4, limits, { before: 9, now: 9 })).toBe(0);
  // somebody else took it
  expect(freePlaces(1, limits, { before: 9, now: 1 })).toBe(0);
  expect(freePlaces(0, limits, { before: 1, now: 1 })).toBe(1);
  expect(freePlaces(3, limits, { before: undefined, now: undefined })).toBe(5);
});

test("never more builds than processors or memory allow, and never none", () => {
  const bytes = fc.option(fc.nat(1000), { nil: undefined });
  fc.assert(
    fc.property(
      fc.nat(20),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 100 }),
      bytes,
      bytes,
      (running, jobs, memoryPerBuild, before, now) => {
        const places = freePlaces(running, { jobs, memoryPerBuild }, { before, now });
        const together = running + places;
        expect(places).toBeGreaterThanOrEqual(0);
        expect(together).toBeGreaterThan(0);
        if (places > 0 && together > 1) {
          expect(together).toBeLessThanOrEqual(jobs);
          expect(together * memoryPerBuild).toBeLessThanOrEqual(before ?? Number.POSITIVE_INFINITY);
          expect(places * memoryPerBuild).toBeLessThanOrEqual(now ?? Number.POSITIVE_INFINITY);
        }
      },
    ),
  );
});

test("builds wait for memory, in the order in which they came, and all of them get their turn", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ uses: fc.nat(12), turns: fc.nat(4) }), { minLength: 1, maxLength: 15 }),
      async (builds) => {
        const total = 30;
        let used = 0;
        let running = 0;
        const begun: number[] = [];
        const places = createBuildPlaces({ jobs: 4, memoryPerBuild: 10 }, async () => total - used);
        await Promise.all(
          builds.map(({ uses, turns }, at) =>
            places
              .hold(
                "build",
                async () => {
                  begun.push(at);
                  running++;
                  expect(running).toBeLessThanOrEqual(3);
                  await Promise.resolve();
                  used += uses;
                  for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
                  used -= uses;
                  running--;
                  if (uses === 7) throw new Error("seven");
                },
                calm,
              )
              .catch((error: unknown) => expect(String(error)).toBe("Error: seven")),
          ),
        );
        expect(begun).toEqual(builds.map((_, at) => at));
      },
    ),
    { numRuns: 50 },
  );
});

test("who is told to stop while waiting gives the wait up, and the others go on", async () => {
  const places = createBuildPlaces({ jobs: 1, memoryPerBuild: 1 }, async () => 10);
  const first = Promise.withResolvers<void>();
  const stop = new AbortController();
  const running = places.hold("build", () => first.promise, calm);
  const stopped = places.hold("build", async () => "never", stop.signal);
  const last = places.hold("build", async () => "last", calm);
  stop.abort();
  await expect(stopped).rejects.toMatchObject({ kind: "interrupted" });
  first.resolve();
  await running;
  expect(await last).toBe("last");
});

test("a release that began before goes first, its smoke tests before its builds, varied ones last", async () => {
  const places = createBuildPlaces({ jobs: 1, memoryPerBuild: 1 }, async () => undefined);
  const begun: string[] = [];
  const first = Promise.withResolvers<void>();
  const running = places.hold("build", () => first.promise, calm);
  const [older, newer] = [places.line(), places.line()];
  const ask = (line: typeof older, turn: "smoke" | "build" | "varied build", name: string): Promise<void> =>
    line.hold(turn, async () => void begun.push(`${name} ${turn}`), calm);
  const asked = [
    ask(newer, "smoke", "newer"),
    ask(newer, "build", "newer"),
    ask(older, "varied build", "older"),
    ask(older, "build", "older"),
    ask(older, "smoke", "older"),
  ];
  first.resolve();
  await Promise.all([running, ...asked]);
  expect(begun).toEqual(["older smoke", "older build", "older varied build", "newer smoke", "newer build"]);
});
