import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readRun, readRuns, runTag, runType, writeRun } from "../../../src/history/history.ts";
import type { NightlyRun } from "../../../src/nightly-run.ts";
import { hexOf } from "../../../src/oci/digest.ts";
import { openLayoutRepository } from "../../../src/oci/layout-repository.ts";
import { type ImageManifest, mediaTypes } from "../../../src/oci/types.ts";
import { temporaryFolder } from "../../support/temporary.ts";
import { sampleRelease, sampleRun } from "../report/site-runs.ts";

const runOf = (day: number): NightlyRun => {
  const release = sampleRelease("hello", "1.0", { "linux/amd64": "equivalent", "linux/386": "extended" });
  const run = sampleRun(day, [release]);
  return { ...run, id: run.startedAt.replaceAll(":", "") };
};

test("runs come back newest first, whole, and no more than were asked for", async () => {
  const history = await openLayoutRepository(await temporaryFolder());
  const runs = [runOf(2), runOf(0), runOf(1)];
  for (const run of runs) await writeRun(history, run);
  expect(await readRuns(history)).toEqual([runOf(2), runOf(1), runOf(0)]);
  expect(await readRuns(history, { limit: 2 })).toEqual([runOf(2), runOf(1)]);
  expect(await readRun(history, runOf(1).id)).toEqual(runOf(1));
});

test("a run is an artifact of its own type with one layer, and the same run again is the same manifest", async () => {
  const history = await openLayoutRepository(await temporaryFolder());
  const first = await writeRun(history, runOf(0));
  expect(await writeRun(history, runOf(0))).toEqual(first);
  const { bytes } = await history.resolve(runTag(runOf(0).id));
  const manifest = JSON.parse(Buffer.from(bytes).toString("utf8")) as ImageManifest;
  expect(manifest).toMatchObject({ artifactType: runType, layers: [{ mediaType: runType }] });
});

test("other tags are not looked at, and there may be no run at all", async () => {
  const history = await openLayoutRepository(await temporaryFolder());
  expect(await readRuns(history)).toEqual([]);
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: [] }));
  for (const tag of ["latest", "nightly-latest", "nightly-2026-01-01"])
    await history.pushManifest(index, mediaTypes.index, tag);
  expect(await readRuns(history)).toEqual([]);
});

test("what is not what its digest, its tag or its type says is not believed", async () => {
  const folder = await temporaryFolder();
  const history = await openLayoutRepository(folder);
  await writeRun(history, runOf(0));
  await writeRun(history, runOf(1));
  const damaged = runOf(1).id;
  const { bytes } = await history.resolve(runTag(damaged));
  const [layer] = (JSON.parse(Buffer.from(bytes).toString("utf8")) as ImageManifest).layers;
  if (!layer) throw new Error("no layer");
  await writeFile(join(folder, "blobs/sha256", hexOf(layer.digest)), "x".repeat(layer.size));
  await expect(readRuns(history)).rejects.toMatchObject({ kind: "infrastructure" });
  const told: string[] = [];
  expect(await readRuns(history, { onDamaged: (tag) => told.push(tag) })).toEqual([runOf(0)]);
  expect(told).toEqual([runTag(damaged)]);

  const renamed = await openLayoutRepository(await temporaryFolder());
  await writeRun(renamed, runOf(0));
  const other = await renamed.resolve(runTag(runOf(0).id));
  await renamed.pushManifest(other.bytes, mediaTypes.manifest, runTag(runOf(3).id));
  await expect(readRun(renamed, runOf(3).id)).rejects.toThrow(/holds the run 2026-01-01/);

  const foreign = await openLayoutRepository(await temporaryFolder());
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: [] }));
  await foreign.pushManifest(index, mediaTypes.index, runTag(runOf(0).id));
  await expect(readRuns(foreign)).rejects.toThrow(/no artifact of the type/);
});
