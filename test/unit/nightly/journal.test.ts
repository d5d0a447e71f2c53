import { join } from "node:path";
import { expect, test } from "vitest";
import { openJournal } from "../../../src/nightly/journal.ts";
import { openStore } from "../../../src/store/store.ts";
import { temporaryFolder } from "../../support/temporary.ts";
import { sampleRelease } from "../report/site-runs.ts";

const now = new Date("2026-11-23T02:00:00.123Z");
const later = new Date("2026-11-23T05:00:00Z");
const hello = sampleRelease("hello", "1.0", { "linux/amd64": "equivalent" });
const failed = (errorClass: "infra" | "fetch" | "build" | "compare" | "usage") =>
  sampleRelease(errorClass, "1.0", {}, { status: "failed", failure: { errorClass, message: "it failed" } });

test("a run that was cut off goes on under its own id, with what it had done", async () => {
  const store = await openStore(join(await temporaryFolder(), "store"));
  const first = await openJournal(store, "all", now, { fresh: false });
  expect(first).toMatchObject({ id: "2026-11-23T020000Z", startedAt: "2026-11-23T02:00:00Z", resumed: false });
  await first.keep(hello);
  const again = await openJournal(store, "all", later, { fresh: false });
  expect(again).toMatchObject({ id: first.id, startedAt: first.startedAt, resumed: true });
  expect(again.find("hello@1.0")).toEqual(hello);
  expect(again.find("hello@1.1")).toBeUndefined();
});

test("releases that are done at once are all kept", async () => {
  const store = await openStore(join(await temporaryFolder(), "store"));
  const journal = await openJournal(store, "all", now, { fresh: false });
  const names = Array.from({ length: 20 }, (_, at) => `recipe-${at}`);
  await Promise.all(names.map((name) => journal.keep(sampleRelease(name, "1.0", {}))));
  const again = await openJournal(store, "all", later, { fresh: false });
  expect(names.filter((name) => again.find(`${name}@1.0`))).toEqual(names);
});

test("another day, another scope, --fresh and a run that came to its end begin anew", async () => {
  const store = await openStore(join(await temporaryFolder(), "store"));
  const open = (scope: string, at: Date, fresh = false) => openJournal(store, scope, at, { fresh });
  await (await open("all", now)).keep(hello);
  for (const journal of [await open("other", later), await open("all", new Date("2026-11-24T02:00:00Z"))]) {
    expect(journal.resumed).toBe(false);
    expect(journal.find("hello@1.0")).toBeUndefined();
  }
  expect(await open("all", later, true)).toMatchObject({ id: "2026-11-23T050000Z", resumed: false });
  const running = await open("all", later);
  expect(running.resumed).toBe(true);
  await running.finish();
  expect((await open("all", later)).resumed).toBe(false);
});

test("what may pass by itself is tried again when a run goes on, the rest is not", async () => {
  const store = await openStore(join(await temporaryFolder(), "store"));
  const journal = await openJournal(store, "all", now, { fresh: false });
  for (const name of ["infra", "fetch", "build", "compare", "usage"] as const) await journal.keep(failed(name));
  const again = await openJournal(store, "all", later, { fresh: false });
  const kept = ["infra", "fetch", "build", "compare", "usage"].filter((name) => again.find(`${name}@1.0`));
  expect(kept).toEqual(["build", "compare", "usage"]);
});
