import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A small factory's folder in a temporary place; made anew for each test, and removed with it. */
export interface RecipeTree extends AsyncDisposable {
  readonly root: string;
  /** Writes a file, by its path from the root; returns its full path. */
  write(path: string, content: string | Uint8Array): Promise<string>;
  /** Replaces a text that is in a file already; throws when it is not. */
  edit(path: string, from: string, to: string): Promise<string>;
  /** Removes a file or folder. */
  remove(path: string): Promise<void>;
}

const hex = (character: string, length: number): string => character.repeat(length);

/** The files of the tree: one recipe with a release, a toolchain with a lock, a source. */
export const recipeTreeFiles = {
  "recipes/images/tini/recipe.yaml": `image: tini
owners: [release-engineering]
source: tini
toolchain: debian-c
upstream:
  image: registry.example/library/tini
build:
  dockerfile: Dockerfile
  network: none
  args: { FLAVOUR: static }
platforms:
  reproduce: [linux/amd64, linux/arm64]
  extend: [linux/riscv64]
smoke:
  - run: [/tini, --version]
    stdout: tini version {version}
waivers:
  - class: elf-build-id
    paths: [/tini]
    reason: the linker writes another id
    owner: release-engineering
    expires: 2027-06-30
`,
  "recipes/images/tini/Dockerfile": `FROM --platform=linux/amd64 toolchain AS build
RUN --mount=type=bind,from=src,target=/src make -C /src
FROM scratch
COPY --from=build /tini /tini
ENTRYPOINT ["/tini", "--"]
`,
  "recipes/images/tini/releases/0.19.0.yaml": `version: "0.19.0"
source:
  commit: ${hex("a", 40)}
  tree: ${hex("b", 40)}
  archive: sha256:${hex("c", 64)}
  epoch: 1587291300
toolchain:
  lock: trixie-20260912
  digest: sha256:${hex("d", 64)}
upstream:
  digest: sha256:${hex("e", 64)}
  mediaType: application/vnd.oci.image.index.v1+json
  size: 1234
  manifests:
    linux/amd64: sha256:${hex("1", 64)}
    linux/arm64: sha256:${hex("2", 64)}
`,
  "recipes/toolchains/debian-c/toolchain.yaml": `toolchain: debian-c
debian:
  suite: trixie
  architecture: amd64
  foreign: [arm64]
  packages: [gcc, make, libc6-dev:arm64]
`,
  "recipes/toolchains/debian-c/locks/trixie-20260912.yaml": `suite: trixie
epoch: 1789200000
architecture: amd64
foreign: [arm64]
digest: sha256:${hex("d", 64)}
packages:
  - { name: gcc, version: "4:14.2.0-1", architecture: amd64, path: pool/main/g/gcc/gcc_14.2.0-1_amd64.deb, size: 1000, sha256: "${hex("3", 64)}" }
  - { name: make, version: "4.4.1-2", architecture: amd64, path: pool/main/m/make/make_4.4.1-2_amd64.deb, size: 2000, sha256: "${hex("4", 64)}" }
`,
  "vendor-sources/tini.yaml": `source: tini
licence: MIT
upstream: https://git.example/krallin/tini
forks: [ssh://git@git.example/forks/tini, git@git.example:forks/tini.git]
import: { kind: git }
`,
} as const;

/** Makes the tree. Use with `await using`. */
export async function createRecipeTree(): Promise<RecipeTree> {
  const root = await mkdtemp(join(tmpdir(), "refoundry-recipes-"));
  const contents = new Map<string, string>(Object.entries(recipeTreeFiles));
  const write = async (path: string, content: string | Uint8Array): Promise<string> => {
    const full = join(root, path);
    await mkdir(dirname(full), { recursive: true });
    await writeFile(full, content);
    if (typeof content === "string") contents.set(path, content);
    return full;
  };
  for (const [path, content] of contents) await write(path, content);
  return {
    root,
    write,
    async edit(path, from, to) {
      const before = contents.get(path);
      if (before === undefined || !before.includes(from))
        throw new Error(`${path} does not have ${JSON.stringify(from)}`);
      return write(
        path,
        before.replace(from, () => to),
      );
    },
    remove: (path) => rm(join(root, path), { recursive: true }),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
}
