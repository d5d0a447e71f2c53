import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  currentDigest,
  historyOf,
  lockPathOf,
  lockText,
  readMirrorLock,
  updateMirrorLock,
  withObservations,
} from "../../../src/mirror/mirror-lock.ts";
import type { Digest } from "../../../src/oci/digest.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const digest = (digit: string): Digest => `sha256:${digit.repeat(64)}`;
const day = (number: number): Date => new Date(Date.UTC(2027, 0, number, 12, 30, 15, 123));
const image = "docker.io/library/busybox";
const empty = { mirrors: {} };

describe("a lock", () => {
  test("keeps all that a tag has been", () => {
    let lock = withObservations(empty, [{ image, tag: "1.36", digest: digest("a") }], day(1));
    lock = withObservations(lock, [{ image, tag: "1.36", digest: digest("b") }], day(2));
    lock = withObservations(lock, [{ image, tag: "1.36" }], day(3));
    expect(currentDigest(lock, image, "1.36")).toBeUndefined();
    lock = withObservations(lock, [{ image, tag: "1.36", digest: digest("a") }], day(4));
    expect(historyOf(lock, image, "1.36")).toEqual([
      { digest: digest("a"), firstSeen: "2027-01-01T12:30:15Z", lastSeen: "2027-01-02T12:30:15Z" },
      { digest: digest("b"), firstSeen: "2027-01-02T12:30:15Z", lastSeen: "2027-01-03T12:30:15Z" },
      { digest: digest("a"), firstSeen: "2027-01-04T12:30:15Z" },
    ]);
    expect(currentDigest(lock, image, "1.36")).toBe(digest("a"));
  });

  test("has an order of its own, whatever comes first", () => {
    const observations = ["1.9", "2", "1.10", "constructor"].map((tag) => ({ image, tag, digest: digest("c") }));
    const other = { image: "a.example/z", tag: "1", digest: digest("d") };
    const one = withObservations(empty, [...observations, other], day(1));
    const two = withObservations(empty, [other, ...observations.toReversed()], day(1));
    expect(lockText(one)).toBe(lockText(two));
    expect(
      lockText(one),
    ).toBe(`# Written by refoundry mirror: what each tag has been. Nothing is removed from it; commit it, do not edit it.
mirrors:
  a.example/z:
    tags:
      "1":
        - { digest: ${digest("d")}, firstSeen: 2027-01-01T12:30:15Z }
  docker.io/library/busybox:
    tags:
      "2":
        - { digest: ${digest("c")}, firstSeen: 2027-01-01T12:30:15Z }
      constructor:
        - { digest: ${digest("c")}, firstSeen: 2027-01-01T12:30:15Z }
      "1.9":
        - { digest: ${digest("c")}, firstSeen: 2027-01-01T12:30:15Z }
      "1.10":
        - { digest: ${digest("c")}, firstSeen: 2027-01-01T12:30:15Z }
`);
  });

  test("on disk: the same bytes where nothing changed; what another run added stays", async () => {
    const path = lockPathOf(join(await temporaryFolder(), "mirror.yaml"));
    expect(path).toMatch(/\/mirror\.lock\.yaml$/);
    expect(await readMirrorLock(path)).toEqual(empty);
    expect(await updateMirrorLock(path, [])).toBe(false);
    await expect(stat(path)).rejects.toMatchObject({ code: "ENOENT" });
    const seen = [{ image, tag: "1.36", digest: digest("a") }];
    expect(await updateMirrorLock(path, seen, { now: day(1) })).toBe(true);
    const text = await readFile(path, "utf8");
    expect(await updateMirrorLock(path, seen, { now: day(9) })).toBe(false);
    expect(await readFile(path, "utf8")).toBe(text);
    const tags = ["a", "b", "c", "d"];
    await Promise.all(tags.map((tag) => updateMirrorLock(path, [{ image, tag, digest: digest("e") }])));
    const lock = await readMirrorLock(path);
    expect(["1.36", ...tags].map((tag) => currentDigest(lock, image, tag) !== undefined)).toEqual(Array(5).fill(true));
  });

  test("that somebody damaged is refused, at its place, and left alone", async () => {
    const path = join(await temporaryFolder(), "mirror.lock.yaml");
    const text = 'mirrors:\n  a:\n    tags:\n      "1":\n        - { digest: sha256:00, firstSeen: yesterday }\n';
    await writeFile(path, text);
    const wrong = updateMirrorLock(path, [{ image, tag: "1", digest: digest("a") }]);
    await expect(wrong).rejects.toThrow(/mirror\.lock\.yaml:5:21: .*must be sha256:/);
    await expect(wrong).rejects.toThrow(/5:43: .*must be a time in UTC/);
    expect(await readFile(path, "utf8")).toBe(text);
  });
});
