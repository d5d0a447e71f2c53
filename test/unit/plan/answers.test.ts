import { setImmediate } from "node:timers/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Digest, digestOf } from "../../../src/oci/digest.ts";
import { openAnswers } from "../../../src/plan/answers.ts";
import { openStore } from "../../../src/store/store.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const digest = digestOf("index");
const giving = (answer: Digest | undefined) => async (): Promise<Digest | undefined> => answer;
const never = async (): Promise<never> => {
  throw new Error("asked again");
};

test("an answer is believed while it is young, and not longer", async () => {
  const store = await openStore(join(await temporaryFolder(), "store"));
  let now = 1_000_000;
  const first = await openAnswers(store, 60, () => now);
  expect(await first.ask("tag a", giving(digest))).toBe(digest);
  await first.save();
  now += 59_000;
  const second = await openAnswers(store, 60, () => now);
  expect(await second.ask("tag a", never)).toBe(digest);
  expect(second.asked()).toBe(0);
  const anew = await openAnswers(store, 0, () => now);
  expect(await anew.ask("tag a", giving(undefined))).toBeUndefined();
  now += 1000;
  const third = await openAnswers(store, 60, () => now);
  await expect(third.ask("tag a", never)).rejects.toThrow("asked again");
  now -= 120_000;
  await expect((await openAnswers(store, 60, () => now)).ask("tag a", never)).rejects.toThrow("asked again");
});

test("that there is nothing is never remembered", async () => {
  const store = await openStore(join(await temporaryFolder(), "store"));
  const first = await openAnswers(store, 60);
  expect(await first.ask("tag a", giving(undefined))).toBeUndefined();
  await first.save();
  expect(await (await openAnswers(store, 60)).ask("tag a", giving(digest))).toBe(digest);
});

test("eight are asked at once, and no more", async () => {
  const store = await openStore(join(await temporaryFolder(), "store"));
  const answers = await openAnswers(store, 60);
  let [running, most] = [0, 0];
  await Promise.all(
    Array.from({ length: 40 }, (_, index) =>
      answers.ask(`tag ${index}`, async () => {
        most = Math.max(most, ++running);
        await setImmediate();
        running--;
        return digest;
      }),
    ),
  );
  expect(most).toBe(8);
});
