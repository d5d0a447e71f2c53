import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { $ } from "zx";
import { findMachineMirror } from "../../src/debian/machine-mirror.ts";
import { openMirror } from "../../src/debian/mirror.ts";
import { createPrivateApt } from "../../src/debian/apt.ts";
import { openPackageData } from "../../src/debian/package-file.ts";
import { readSettings } from "../../src/settings.ts";
import { createDigester } from "../../src/oci/digest.ts";
import { ensureLayout, type OciLayout } from "../../src/oci/layout.ts";
import { createRegistryClient } from "../../src/oci/registry/client.ts";
import { parseReference } from "../../src/oci/reference.ts";
import { readTar } from "../../src/oci/tar/read.ts";
import { type TarInput, tarEntries } from "../../src/oci/tar/write.ts";
import { type Descriptor, mediaTypes } from "../../src/oci/types.ts";
import { publishImages, tagRelease } from "../../src/publish/publish-release.ts";

/** A factory small enough to build in a second: busybox as toolchain, a git repository as source. */
export interface TinyFactory {
  /** The folder with recipes, toolchains and sources. */
  readonly root: string;
  /** The git repository that the source names as upstream. */
  readonly upstreamRepository: string;
  readonly recipeFolder: string;
}

const environment = { GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null" };
const author = ["-c", "user.name=someone", "-c", "user.email=someone@example.invalid"];

/**
 * Makes a tiny factory whose toolchain and upstream image are in the registry at `host`.
 * `say` is what the built program prints.
 */
export async function createTinyFactory(folder: string, host: string): Promise<TinyFactory> {
  const root = join(folder, "factory");
  const recipeFolder = join(root, "recipes/images/hello");
  const upstreamRepository = join(folder, "upstream");
  for (const path of ["recipes/images/hello/releases", "recipes/toolchains/busybox", "vendor-sources"])
    await mkdir(join(root, path), { recursive: true });
  await createSource(upstreamRepository);
  const toolchain = await pushBusybox(folder, host);
  await writeFile(
    join(root, "vendor-sources/hello.yaml"),
    `source: hello\nlicence: MIT\nupstream: file://${upstreamRepository}\nforks: []\nimport:\n  kind: git\n`,
  );
  await writeFile(
    join(root, "recipes/toolchains/busybox/toolchain.yaml"),
    `toolchain: busybox\nimage: ${host}/tools/busybox@${toolchain}\n`,
  );
  await writeFile(join(recipeFolder, "recipe.yaml"), recipe(host));
  await writeFile(join(recipeFolder, "Dockerfile"), dockerfile);
  return { root, upstreamRepository, recipeFolder };
}

const dockerfile = `FROM --platform=linux/amd64 toolchain AS build
COPY --from=src . /src
RUN mkdir -p /out/etc && cp /bin/busybox /out/busybox && cp /src/motd /out/etc/motd
FROM scratch
COPY --from=build /out/ /
ENTRYPOINT ["/busybox"]
`;

function recipe(host: string): string {
  return `image: hello
owners: [tests]
source: hello
toolchain: busybox
upstream:
  image: ${host}/upstream/hello
build:
  dockerfile: Dockerfile
  network: none
platforms:
  reproduce: [linux/amd64]
  extend: [linux/386]
smoke:
  - run: [/busybox, cat, /etc/motd]
    stdout: "hello {version}"
`;
}

async function createSource(path: string): Promise<void> {
  await mkdir(path, { recursive: true });
  await writeFile(join(path, "motd"), "hello 1.0\n");
  const git = $({
    cwd: path,
    env: {
      ...process.env,
      ...environment,
      GIT_AUTHOR_DATE: "2020-02-02T02:02:02Z",
      GIT_COMMITTER_DATE: "2020-02-02T02:02:02Z",
    },
    quiet: true,
  });
  await git`git init --quiet --initial-branch=main .`;
  await git`git config uploadpack.allowAnySHA1InWant true`;
  await git`git add .`;
  await git`git ${author} commit --quiet -m ${"the first release"}`;
  await git`git tag v1.0`;
}

/** Copies a factory's files, so that a test can break its own copy. */
export async function copyFactory(factory: TinyFactory, folder: string): Promise<TinyFactory> {
  const root = join(folder, "factory");
  await cp(factory.root, root, { recursive: true });
  return { ...factory, root, recipeFolder: join(root, "recipes/images/hello") };
}

/** A static busybox, as Debian built it, with links for the commands that recipes use. */
async function busyboxEntries(folder: string): Promise<TarInput[]> {
  const settings = readSettings(process.env);
  const blobs = await ensureLayout(join(settings.cache, "test-tools", "store"));
  const mirror = openMirror(blobs, async () => settings.debianMirror ?? (await findMachineMirror()));
  try {
    const apt = await createPrivateApt({
      folder: join(folder, "apt"),
      mirrorRoot: await mirror.rootUrl(),
      suites: ["bookworm"],
      architectures: ["amd64"],
    });
    await apt.update();
    const [file] = await apt.resolveDownload(["busybox-static"]);
    if (!file) throw new Error("the mirror has no busybox-static");
    const { digest } = await mirror.fetchFile(file);
    const common = { uid: 0, gid: 0, mtime: 1_500_000_000 };
    for await (const entry of readTar(openPackageData(blobs.openBlob({ mediaType: "", digest, size: file.size })))) {
      if (entry.path !== "./bin/busybox") continue;
      const content = Buffer.concat(await Array.fromAsync(entry.content));
      const links = ["sh", "mkdir", "cp", "cat", "date", "false", "echo", "chmod", "sleep", "taskset"].map(
        (name): TarInput => ({ ...common, type: "symlink", path: `bin/${name}`, mode: 0o777, linkName: "busybox" }),
      );
      const folders = ["bin", "tmp"].map((path): TarInput => ({ ...common, type: "directory", path, mode: 0o755 }));
      return [
        ...folders,
        { ...common, type: "file", path: "bin/busybox", mode: 0o755, size: content.length, content },
        ...links,
      ];
    }
    throw new Error("busybox-static has no /bin/busybox");
  } finally {
    await mirror.close();
  }
}

/** Writes an image of one layer into a layout. */
async function writeTestImage(
  blobs: OciLayout,
  entries: readonly TarInput[],
  config: object,
  architecture = "amd64",
): Promise<Descriptor> {
  const tar = createDigester();
  const chunks = await Array.fromAsync(tarEntries(entries));
  for (const chunk of chunks) tar.update(chunk);
  const layer = await blobs.writeBytes(gzipSync(Buffer.concat(chunks)), mediaTypes.layerGzip);
  const written = await blobs.writeBytes(
    JSON.stringify({ architecture, os: "linux", config, rootfs: { type: "layers", diff_ids: [tar.digest()] } }),
    mediaTypes.config,
  );
  const layers = [layer];
  const manifest = await blobs.writeBytes(
    JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.manifest, config: written, layers }),
    mediaTypes.manifest,
  );
  return { ...manifest, platform: { architecture, os: "linux" } };
}

async function pushBusybox(folder: string, host: string): Promise<string> {
  const entries = await busyboxEntries(folder);
  const blobs = await ensureLayout(join(folder, "images"));
  const registry = createRegistryClient({ env: {} });
  try {
    const push = async (name: string, tag: string, manifest: Descriptor): Promise<string> => {
      const reference = parseReference(`${host}/${name}`);
      if (reference.kind !== "registry") throw new Error(name);
      const { mediaType, digest, size, platform } = manifest;
      const index = Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: mediaTypes.index,
          manifests: [{ mediaType, digest, size, platform }],
        }),
      );
      const repository = registry.repository(reference);
      const published = await publishImages({ index, manifests: [manifest] }, blobs, repository);
      await tagRelease(index, repository, tag);
      return published.index.digest;
    };
    const env = { Env: ["PATH=/bin"] };
    const toolchain = await push("tools/busybox", "1", await writeTestImage(blobs, entries, env));
    await push(
      "upstream/hello",
      "1.0",
      await writeTestImage(blobs, upstreamEntries(entries), {
        Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
        Entrypoint: ["/busybox"],
        WorkingDir: "/",
      }),
    );
    return toolchain;
  } finally {
    await registry.close();
  }
}

/** What upstream released: the same files, made at another time by another tool. */
function upstreamEntries(entries: readonly TarInput[]): TarInput[] {
  const busybox = entries.find((entry) => entry.type === "file");
  if (busybox?.type !== "file") throw new Error("no busybox");
  const motd = Buffer.from("hello 1.0\n");
  const common = { uid: 0, gid: 0, mtime: 1_555_555_555 };
  return [
    { ...busybox, path: "busybox" },
    { ...common, type: "directory", path: "etc", mode: 0o755 },
    { ...common, type: "file", path: "etc/motd", mode: 0o644, size: motd.length, content: motd },
  ];
}
