import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { infrastructureError } from "../../../src/errors.ts";
import type { FactoryEvent } from "../../../src/events.ts";
import { createRequestBudget } from "../../../src/mirror/limited-repository.ts";
import { type MirrorFile, mirrorFileSchema } from "../../../src/mirror/mirror-file.ts";
import { type MirroredTag, observationsOf, openMirroring } from "../../../src/mirror/mirror-images.ts";
import { type MirrorLock, withObservations } from "../../../src/mirror/mirror-lock.ts";
import {
  mappedImages,
  type MirrorDocument,
  mirrorDocument,
  mirrorExitCode,
  renderMirrorTable,
} from "../../../src/mirror/mirror-report.ts";
import { openLayoutRepository } from "../../../src/oci/layout-repository.ts";
import type { Repository } from "../../../src/oci/repository.ts";
import type { ImageIndex } from "../../../src/oci/types.ts";
import { temporaryFolder } from "../../support/temporary.ts";
import { pushImage, pushTree, watched } from "./trees.ts";

interface World {
  readonly sources: Map<string, Repository>;
  readonly targets: Map<string, Repository>;
  readonly events: FactoryEvent[];
  lock: MirrorLock;
  run(file: MirrorFile): Promise<{ results: MirroredTag[]; document: MirrorDocument }>;
}

/** A world of layouts: each image's source and destination, and a lock. */
async function world(): Promise<World> {
  const folder = await temporaryFolder();
  const open = async (at: Map<string, Repository>, place: string, name: string): Promise<void> => {
    at.set(name, await openLayoutRepository(join(folder, place, name)));
  };
  const sources = new Map<string, Repository>();
  const targets = new Map<string, Repository>();
  for (const name of ["a", "b"]) {
    await open(sources, "source", name);
    await open(targets, "target", name);
  }
  const found = (at: Map<string, Repository>, name: string): Repository => {
    const repository = at.get(name);
    if (!repository) throw infrastructureError(`the registry is away: ${name}`);
    return repository;
  };
  const self: World = {
    sources,
    targets,
    events: [],
    lock: { mirrors: {} },
    async run(file) {
      const mirroring = openMirroring(file, {
        source: ({ to }) => watched(found(sources, to)),
        nameOf: ({ to }) => `r.example/mirror/${to}`,
        present: async ({ to }) => targets.get(to),
        destination: async ({ to }) => ({ repository: found(targets, to) }),
        emit: (event) => self.events.push(event),
        signal: new AbortController().signal,
      });
      const plan = await mirroring.plan(self.lock);
      self.lock = withObservations(self.lock, observationsOf(plan), new Date());
      const results = await mirroring.run(plan);
      const about = {
        destination: "r.example/mirror",
        dryRun: false,
        lock: { path: "mirror.lock.yaml", changed: true },
      };
      return { results, document: mirrorDocument(results, about) };
    },
  };
  return self;
}

function fileOf(...mirrors: readonly object[]): MirrorFile {
  return mirrorFileSchema.parse({ mirrors: mirrors.map((entry, index) => ({ to: ["a", "b"][index], ...entry })) });
}

const actions = ({ tags }: MirrorDocument): string[] => tags.map(({ tag, action }) => `${tag} ${action}`);

describe("mirroring", () => {
  test("copies, then finds all there, then copies what moved and says so", async () => {
    const { sources, targets, ...rest } = await world();
    const self = { sources, targets, ...rest };
    const source = sources.get("a") as Repository;
    const old = await pushTree(source, "1.36");
    await pushTree(source, "1.37", "b");
    await pushImage(source, "beta", { tag: "2.0-rc1" });
    const file = fileOf({ image: "a.example/a", tags: ["1.37"], match: { range: ">=1.36 <2" } });
    const first = await rest.run.call(self, file);
    expect(actions(first.document)).toEqual(["1.37 copy", "1.36 copy"]);
    expect(first.document.tags[1]).toMatchObject({
      digest: old.digest,
      mirrored: old.digest,
      referrers: 2,
      manifests: 5,
    });
    expect(mirrorExitCode(first.document)).toBe(0);

    const second = await rest.run.call(self, file);
    expect(actions(second.document)).toEqual(["1.37 there", "1.36 there"]);
    expect(second.document).toMatchObject({ bytesCopied: 0, moved: 0 });
    expect(mappedImages(second.results)).toEqual([
      { from: "a.example/a", to: "r.example/mirror/a", tags: ["1.37", "1.36"] },
    ]);

    const fresh = await pushTree(source, "1.36", "new");
    const third = await rest.run.call(self, file);
    expect(actions(third.document)).toEqual(["1.37 there", "1.36 moved"]);
    expect(third.document.tags[1]).toMatchObject({
      class: "upstream-moved",
      previous: old.digest,
      digest: fresh.digest,
    });
    expect(renderMirrorTable(third.document)).toContain(
      `a.example/a:1.36: upstream-moved: was ${old.digest}, is ${fresh.digest}`,
    );
    expect((await targets.get("a")?.find("1.36"))?.digest).toBe(fresh.digest);
    expect(await targets.get("a")?.hasManifest(old.digest)).toBe(true);
  });

  test("one image that fails keeps no other from being mirrored, and is retried", async () => {
    const self = await world();
    const b = self.sources.get("b") as Repository;
    await pushTree(b, "1");
    const a = self.sources.get("a") as Repository;
    const image = await pushImage(a, "a", { tag: "1" });
    self.sources.set("a", {
      ...a,
      openBlob: () => {
        throw infrastructureError("the disk of the registry is gone");
      },
    });
    const file = fileOf({ image: "a.example/a", tags: ["1"] }, { image: "b.example/b", tags: ["1", "gone"] });
    const { document } = await self.run(file);
    expect(actions(document)).toEqual(["1 failed", "1 copy", "gone gone"]);
    expect(mirrorExitCode(document)).toBe(3);
    const text = renderMirrorTable(document);
    expect(text).toContain("a.example/a:1: failed: the disk of the registry is gone");
    expect(text).toContain("b.example/b:gone: gone: upstream has no such tag; it was never mirrored");
    self.sources.set("a", a);
    const again = await self.run(file);
    expect(actions(again.document)).toEqual(["1 copy", "1 there", "gone gone"]);
    expect(again.document.tags[0]?.digest).toBe(image.digest);
    expect(mirrorExitCode(again.document)).toBe(1);
  });

  test("a registry that cannot be asked fails its own tags, and the lock keeps what it knew", async () => {
    const self = await world();
    const a = self.sources.get("a") as Repository;
    const image = await pushImage(a, "a", { tag: "1" });
    await pushImage(self.sources.get("b") as Repository, "b", { tag: "1" });
    const file = fileOf(
      { image: "a.example/a", tags: ["1"], match: { pattern: ".*" } },
      { image: "b.example/b", tags: ["1"] },
    );
    await self.run(file);
    const before = JSON.stringify(self.lock);
    const away = async (): Promise<never> => {
      throw infrastructureError("the registry is away");
    };
    self.sources.set("a", { ...a, find: away, listTags: away });
    const { document } = await self.run(file);
    expect(actions(document)).toEqual(["1 failed", "1 there"]);
    expect(JSON.stringify(self.lock)).toBe(before);
    expect(document.tags[0]?.problems).toEqual([{ message: "the registry is away" }]);
    expect((await self.targets.get("a")?.find("1"))?.digest).toBe(image.digest);
  });

  test("a tag that is gone upstream stays where it was mirrored", async () => {
    const self = await world();
    const a = self.sources.get("a") as Repository;
    const image = await pushImage(a, "a", { tag: "1" });
    const file = fileOf({ image: "a.example/a", tags: ["1"] });
    await self.run(file);
    self.sources.set("a", { ...a, find: async () => undefined });
    const { document, results } = await self.run(file);
    expect(document.tags[0]).toMatchObject({
      action: "gone",
      previous: image.digest,
      mirrored: image.digest,
      digest: null,
    });
    expect(document.tags[0]?.class).toBeUndefined();
    expect(mirrorExitCode(document)).toBe(0);
    expect(mappedImages(results)).toHaveLength(1);
    expect(self.lock.mirrors["a.example/a"]?.tags["1"]?.[0]?.lastSeen).toBeDefined();
  });

  test("a tag that a match took and that is gone is told once; a match that takes nothing fails", async () => {
    const self = await world();
    const a = self.sources.get("a") as Repository;
    for (const tag of ["1.1", "1.2", "1.3"]) await pushImage(a, tag, { tag });
    const file = fileOf({ image: "a.example/a", match: { range: ">=1 <2", newest: 2 } });
    expect(actions((await self.run(file)).document)).toEqual(["1.3 copy", "1.2 copy"]);
    const without = (gone: string): Repository => ({
      ...a,
      listTags: async () => (await a.listTags()).filter((tag) => tag !== gone),
      find: async (tag) => (tag === gone ? undefined : a.find(tag)),
    });
    self.sources.set("a", without("1.3"));
    expect(actions((await self.run(file)).document)).toEqual(["1.2 there", "1.1 copy", "1.3 gone"]);
    expect(actions((await self.run(file)).document)).toEqual(["1.2 there", "1.1 there"]);
    const { document } = await self.run(fileOf({ image: "a.example/a", match: { range: ">=5" } }));
    expect(actions(document)).toEqual(["* failed"]);
    expect(document.tags[0]?.reason).toBe("none of the 2 tags of a.example/a is one that its match takes");
  });

  test("some platforms only: an index of these, which says where it is from; found again without reading the source", async () => {
    const self = await world();
    const a = self.sources.get("a") as Repository;
    const index = await pushTree(a, "1");
    const file = fileOf({ image: "a.example/a", tags: ["1"], platforms: ["linux/riscv64", "linux/amd64"] });
    const { document } = await self.run(file);
    const target = self.targets.get("a") as Repository;
    const { descriptor, bytes } = await target.resolve("1");
    const selected = JSON.parse(Buffer.from(bytes).toString()) as ImageIndex;
    expect(selected.manifests.map(({ platform }) => platform?.architecture)).toEqual(["amd64", "riscv64"]);
    expect(Object.values(selected.annotations ?? {})).toEqual(["linux/amd64,linux/riscv64", index.digest]);
    expect(document.tags[0]).toMatchObject({ action: "copy", digest: index.digest, mirrored: descriptor.digest });
    expect(await target.hasManifest(index.digest)).toBe(false);
    expect(actions((await self.run(file)).document)).toEqual(["1 there"]);
    const more = fileOf({ image: "a.example/a", tags: ["1"], platforms: ["linux/arm64"] });
    expect(actions((await self.run(more)).document)).toEqual(["1 copy"]);
    const none = fileOf({ image: "a.example/a", tags: ["1"], platforms: ["linux/s390x"] });
    const failed = (await self.run(none)).document;
    expect(failed.tags[0]?.reason).toMatch(/has no image for linux\/s390x; it has linux\/amd64/);
  });

  test("what somebody else put under the mirror's tag is replaced, and it is said", async () => {
    const self = await world();
    await pushImage(self.sources.get("a") as Repository, "a", { tag: "1" });
    const other = await pushImage(self.targets.get("a") as Repository, "other", { tag: "1" });
    const { document } = await self.run(fileOf({ image: "a.example/a", tags: ["1"] }));
    expect(document.tags[0]).toMatchObject({ action: "copy", reason: `the destination's tag names ${other.digest}` });
  });
});

test("a budget lets so many through in an hour, and tells of a wait", async () => {
  let time = 0;
  const waits: number[] = [];
  const wait = async (milliseconds: number): Promise<void> => void (time += milliseconds);
  const budget = createRequestBudget(2, { now: () => time, wait, onWait: (seconds) => waits.push(seconds) });
  const at: number[] = [];
  for (let request = 0; request < 5; request++) {
    await budget.take();
    at.push(time / 60_000);
    time += 60_000;
  }
  expect(at).toEqual([0, 1, 60, 61, 120]);
  expect(waits).toEqual([3480, 3480]);
  await expect(budget.take(AbortSignal.abort())).rejects.toMatchObject({ kind: "interrupted" });
});
