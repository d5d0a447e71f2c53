import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { PlatformName } from "../../src/oci/platform.ts";

/** What a made-up catalogue holds. */
export interface SyntheticCatalogueOptions {
  /** How many recipes there are; each has a source of its own, all share one toolchain. */
  readonly recipes: number;
  /** How many releases each recipe has: `1.0.0`, `1.1.0` and so on. */
  readonly releasesEach: number;
  /**
   * The platforms of each recipe, or how many of the usual eight there are. The first half
   * (rounded up) is under `reproduce`, the rest under `extend`.
   */
  readonly platforms: number | readonly PlatformName[];
  /** The same seed gives the same bytes in every file. */
  readonly seed: number;
}

/** What was written. */
export interface SyntheticCatalogue {
  readonly root: string;
  /** By name, in order, each with its versions, oldest first. */
  readonly recipes: readonly { readonly name: string; readonly versions: readonly string[] }[];
  /** Every file, by its path from the root. */
  readonly files: readonly string[];
}

const usualPlatforms: readonly PlatformName[] = [
  "linux/amd64",
  "linux/arm64",
  "linux/riscv64",
  "linux/loong64",
  "linux/ppc64le",
  "linux/s390x",
  "linux/arm/v7",
  "linux/386",
];
const licences = ["MIT", "Apache-2.0", "BSD-3-Clause", "GPL-2.0-or-later", "MPL-2.0"];
const toolchain = "builder";

/**
 * Writes a factory's folder with made-up recipes, sources, releases (each with `expect`) and
 * a toolchain that is a pinned image. It lints without a problem; no address in it leads
 * anywhere. Digests and build keys are made from the seed: nothing has them.
 */
export async function writeSyntheticCatalogue(
  root: string,
  options: SyntheticCatalogueOptions,
): Promise<SyntheticCatalogue> {
  const { seed } = options;
  const platforms = chosenPlatforms(options.platforms);
  const width = Math.max(4, String(options.recipes).length);
  const versions = Array.from({ length: options.releasesEach }, (_, index) => `1.${index}.0`);
  const files = new Map([[`recipes/toolchains/${toolchain}/toolchain.yaml`, toolchainText(seed)]]);
  const recipes = Array.from({ length: options.recipes }, (_, index) => {
    const name = `image-${String(index + 1).padStart(width, "0")}`;
    const folder = `recipes/images/${name}`;
    files.set(`vendor-sources/${name}.yaml`, sourceText(name, licences[(index + seed) % licences.length] ?? "MIT"));
    files.set(`${folder}/recipe.yaml`, recipeText(name, platforms));
    files.set(`${folder}/Dockerfile`, dockerfileText(name));
    for (const version of versions)
      files.set(`${folder}/releases/${version}.yaml`, releaseText(name, version, platforms, seed));
    return { name, versions };
  });
  for (const folder of new Set([...files.keys()].map(dirname))) await mkdir(join(root, folder), { recursive: true });
  for (const [path, text] of files) await writeFile(join(root, path), text);
  return { root, recipes, files: [...files.keys()] };
}

interface Platforms {
  readonly reproduce: readonly PlatformName[];
  readonly extend: readonly PlatformName[];
}

function chosenPlatforms(wanted: number | readonly PlatformName[]): Platforms {
  const all = typeof wanted === "number" ? usualPlatforms.slice(0, wanted) : wanted;
  if (all.length === 0 || (typeof wanted === "number" && all.length < wanted))
    throw new Error(`a made-up recipe has 1 to ${usualPlatforms.length} platforms, not ${String(wanted)}`);
  const half = Math.ceil(all.length / 2);
  return { reproduce: all.slice(0, half).toSorted(), extend: all.slice(half).toSorted() };
}

function hex(seed: number, ...what: readonly string[]): string {
  return createHash("sha256")
    .update(JSON.stringify([seed, ...what]))
    .digest("hex");
}

function toolchainText(seed: number): string {
  return `toolchain: ${toolchain}\nimage: registry.example/tools/${toolchain}@sha256:${hex(seed, "toolchain")}\n`;
}

function sourceText(name: string, licence: string): string {
  return `source: ${name}
licence: ${licence}
upstream: https://git.example/upstream/${name}
forks:
  - https://git.example/forks/${name}
import:
  kind: git
`;
}

function recipeText(name: string, { reproduce, extend }: Platforms): string {
  return `image: ${name}
owners: [release-engineering]
source: ${name}
toolchain: ${toolchain}
upstream:
  image: registry.example/library/${name}
build:
  dockerfile: Dockerfile
  network: none
  args: { FLAVOUR: static }
platforms:
  reproduce: [${reproduce.join(", ")}]
  # upstream never released these
  extend: [${extend.join(", ")}]
smoke:
  - run: [/${name}, --version]
    stdout: "${name} {version}"
waivers:
  - class: elf-build-id
    paths: [/${name}]
    reason: the linker writes another id
    owner: release-engineering
    expires: 2099-12-31
`;
}

function dockerfileText(name: string): string {
  return `FROM --platform=linux/amd64 toolchain AS build
ARG SOURCE_DATE_EPOCH
ARG TARGETARCH
WORKDIR /build
COPY --from=src . .
RUN make ARCH="$TARGETARCH" && \\
    install -D ${name} /out/${name}

FROM scratch
COPY --from=build /out/${name} /${name}
ENTRYPOINT ["/${name}"]
`;
}

function releaseText(name: string, version: string, { reproduce, extend }: Platforms, seed: number): string {
  const digest = (...what: readonly string[]): string => `sha256:${hex(seed, name, version, ...what)}`;
  const sorted = [...reproduce, ...extend].toSorted();
  const manifests = reproduce.map((platform) => `    ${platform}: ${digest("upstream", platform)}\n`);
  const expected = sorted.map(
    (platform) => `    ${platform}:
      manifest: ${digest("rebuilt", platform)}
      buildKey: ${digest("key", platform)}
`,
  );
  return `# Written by refoundry pin; review it, do not edit it.
version: "${version}"
source:
  commit: ${hex(seed, name, version, "commit").slice(0, 40)}
  tree: ${hex(seed, name, version, "tree").slice(0, 40)}
  archive: ${digest("archive")}
  epoch: 1600000000
toolchain:
  digest: sha256:${hex(seed, "toolchain")}
upstream:
  digest: ${digest("upstream")}
  mediaType: application/vnd.oci.image.index.v1+json
  size: 1234
  manifests:
${manifests.join("")}expect:
  index: ${digest("index")}
  platforms:
${expected.join("")}`;
}
