import { expect, test } from "vitest";
import { renovateDocuments, updatesText } from "../../../src/rebuild/pin-summary.ts";
import type { Updates } from "../../../src/rebuild/pin-updates.ts";

const updates: Updates = {
  recipes: [
    {
      recipe: "etcd",
      candidates: [
        { version: "3.6.0-rc1", isPinned: false, isStable: false, isNewer: true },
        { version: "3.5.1", isPinned: true, isStable: true, isNewer: false },
      ],
      sourceUrl: "https://forge.example/etcd",
      newerContexts: [{ context: "base", from: "static 1 (sha256:aaaa)", to: "static 1 (sha256:bbbb)" }],
      notes: [],
    },
  ],
  toolchains: [
    { toolchain: "go", current: "trixie-20260101", next: "trixie-20260201", change: "gcc is newer", action: "lock it" },
    { toolchain: "c", current: "trixie-20260101" },
    { toolchain: "image", current: "sha256:cccc", unknown: "its image has no tag" },
  ],
  failed: [],
};

test("Renovate gets versions of recipes and locks of toolchains, and nothing of what is not known", () => {
  const { "recipes/etcd.json": etcd, ...toolchains } = Object.fromEntries(renovateDocuments(updates));
  expect(etcd).toEqual({
    sourceUrl: "https://forge.example/etcd",
    releases: [
      { version: "3.6.0-rc1", isStable: false },
      { version: "3.5.1", isStable: true },
    ],
  });
  expect(toolchains).toEqual({
    "toolchains/go.json": { releases: [{ version: "trixie-20260101" }, { version: "trixie-20260201" }] },
    "toolchains/c.json": { releases: [{ version: "trixie-20260101" }] },
  });
});

test("a base that was recorded anew is told with the command that pins it", () => {
  expect(updatesText(updates)).toContain(
    "3.5.1 pins static 1 (sha256:aaaa) as base, and there is static 1 (sha256:bbbb): refoundry pin etcd 3.5.1 --replace",
  );
});
