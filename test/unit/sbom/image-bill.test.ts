import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { type LoadedRelease, loadReleaseInputs } from "../../../src/recipe/load.ts";
import { renderCycloneDx } from "../../../src/sbom/cyclonedx.ts";
import { describeImage } from "../../../src/sbom/image-bill.ts";
import { renderSpdx } from "../../../src/sbom/spdx.ts";
import type { ImageBill } from "../../../src/sbom/types.ts";
import { file, testLayout, writeImage } from "../../support/images.ts";
import { elf, hex } from "./bills.ts";
import { spdxRules } from "./spdx-rules.ts";

let inputs: LoadedRelease;
beforeAll(async () => {
  const root = join(import.meta.dirname, "../../..");
  inputs = await loadReleaseInputs(root, "tini", { version: "0.19.0", today: "2026-01-01" });
});

async function describeTini(platform: ImageBill["image"]["platform"], more: Partial<LoadedRelease> = {}) {
  const bytes = elf("tini");
  const layout = await testLayout();
  const layer = [{ ...file("tini", ""), mode: 0o755, size: bytes.length, content: bytes }] as const;
  const manifest = await writeImage(layout, { layers: [layer] });
  const contextDigest = `sha256:${hex("context")}` as const;
  return describeImage({ reader: layout, manifest, platform, inputs: { ...inputs, ...more }, contextDigest });
}

describe("the bill of a release", () => {
  test("has the program, every pin of the release and every package of the toolchain's lock", async () => {
    const bill = await describeTini("linux/amd64");
    const { release, toolchainLock } = inputs;
    expect(bill).toMatchObject({
      image: { name: "tini", version: "0.19.0", platform: "linux/amd64" },
      createdEpoch: release.source.epoch,
      packages: [],
      programs: [{ path: "/tini", size: 128 }],
      gaps: [],
      source: {
        ...{ commit: release.source.commit, tree: release.source.tree, archive: release.source.archive },
        licence: { expression: "MIT" },
        debian: { purl: "pkg:deb/debian/tini@0.19.0-1?arch=source&distro=debian-bookworm" },
      },
      toolchain: { name: "debian-c", version: release.toolchain.lock, digest: release.toolchain.digest },
      upstream: {
        ...{ name: "Debian package tini", manifest: release.upstream.manifests["linux/amd64"] },
        files: [{ name: "tini_0.19.0-3+b8_amd64.deb" }],
      },
    });
    expect(bill.toolchainPackages.map(({ name, sha256 }) => [name, sha256])).toEqual(
      toolchainLock?.packages.map(({ name, sha256 }) => [name, sha256]),
    );
    const { packages } = spdxRules.parse(JSON.parse(renderSpdx(bill)));
    expect(packages.length).toBeGreaterThan(bill.toolchainPackages.length);
    expect(renderCycloneDx(bill)).toContain(`swh:1:rev:${release.source.commit}`);
  });

  test("says that upstream has no image for a platform which only we have", async () => {
    const { upstream } = await describeTini("linux/riscv64");
    expect(upstream).toEqual({ ...{ name: "Debian package tini", files: [] }, digest: inputs.release.upstream.digest });
  });

  test("names a toolchain that is a pinned image by its reference, and upstream by its image", async () => {
    const image = `registry.example/cc@sha256:${hex("cc")}`;
    const { toolchainLock: _, ...rest } = inputs;
    const bill = await describeTini("linux/amd64", {
      ...rest,
      recipe: { ...inputs.recipe, upstream: { image: "registry.example/tini" } },
      toolchain: { toolchain: "cc", image, platform: "linux/amd64" },
      source: { ...inputs.source, licence: "our own terms", import: { kind: "git" } },
    });
    expect(bill).toMatchObject({
      toolchain: { name: "cc", version: image },
      source: { licence: { name: "our own terms" } },
      upstream: { name: "registry.example/tini" },
    });
  });
});
