import { existsSync } from "node:fs";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { digestOf } from "../../../src/oci/digest.ts";
import { openStore } from "../../../src/store/store.ts";
import { withLock } from "../../../src/process/lock.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const dead = "4000000.1-leftover";

test("what a killed process left is swept at the next start, what a living one uses is not", async () => {
  const path = join(await temporaryFolder(), "store");
  const first = await openStore(path);
  const inUse = await first.temporaryFolder("build");
  await mkdir(join(path, "tmp", dead));
  await mkdir(join(path, "ingest"), { recursive: true });
  await writeFile(join(path, "ingest", dead), "half a blob");
  const second = await openStore(path);
  expect(existsSync(join(path, "tmp", dead))).toBe(false);
  expect(await readdir(join(path, "ingest"))).toEqual([]);
  expect(existsSync(inUse)).toBe(true);
  await first.close();
  expect(existsSync(inUse)).toBe(false);
  await second.close();
});

test("a record comes back as it was; a damaged one counts as none", async () => {
  const store = await openStore(join(await temporaryFolder(), "store"));
  const key = digestOf("key");
  expect(await store.readRecord("builds", key)).toBeUndefined();
  await store.writeRecord("builds", key, { a: 1 });
  expect(await store.readRecord("builds", key)).toEqual({ a: 1 });
  await writeFile(join(store.path, "records/builds", `${key.slice(7)}.json`), '{"a":');
  expect(await store.readRecord("builds", key)).toBeUndefined();
});

test("one record written by many at once is written", async () => {
  const store = await openStore(join(await temporaryFolder(), "store"));
  const key = digestOf("key");
  await Promise.all(Array.from({ length: 50 }, (_, value) => store.writeRecord("builds", key, { value })));
  expect(await store.readRecord("builds", key)).toHaveProperty("value");
  expect(await readdir(join(store.path, "records/builds"))).toHaveLength(1);
});

test("content that is not what it should be never appears in the store", async () => {
  const { blobs } = await openStore(join(await temporaryFolder(), "store"));
  async function* content(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("something else");
  }
  const expected = { digest: digestOf("what was pinned"), size: 14 };
  await expect(blobs.writeStream(content(), expected)).rejects.toThrow(/not sha256:/);
  await expect(blobs.writeStream(content(), { ...expected, size: 3 })).rejects.toThrow(/longer than the 3 bytes/);
  expect(await blobs.has(expected)).toBe(false);
  expect(await readdir(join(blobs.path, "ingest"))).toEqual([]);
});

test("a blob damaged on disk is noticed when it is read", async () => {
  const { blobs } = await openStore(join(await temporaryFolder(), "store"));
  const blob = await blobs.writeBytes("good content", "text/plain");
  await writeFile(blobs.blobPath(blob.digest), "evil content");
  await expect(blobs.readDocument(blob)).rejects.toThrow(/changed or damaged/);
});

test("one holder of a lock at a time; a dead holder's lock is taken over", async () => {
  const path = join(await temporaryFolder(), "lock");
  let inside = 0;
  let most = 0;
  const work = async (): Promise<void> => {
    inside += 1;
    most = Math.max(most, inside);
    await new Promise((resolve) => setTimeout(resolve, 20));
    inside -= 1;
  };
  await Promise.all(Array.from({ length: 5 }, () => withLock(path, work)));
  expect(most).toBe(1);
  await writeFile(path, dead);
  await withLock(path, work);
  expect(existsSync(path)).toBe(false);
});

test("a lock is given back when the work throws, and waiting stops on abort", async () => {
  const path = join(await temporaryFolder(), "lock");
  await expect(withLock(path, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  await withLock(path, async () => {
    const stop = new AbortController();
    const waiting = withLock(path, async () => {}, { signal: stop.signal });
    stop.abort();
    await expect(waiting).rejects.toMatchObject({ kind: "interrupted" });
  });
});
