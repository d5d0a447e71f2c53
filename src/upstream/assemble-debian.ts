import { configTime } from "../oci/manifest.ts";
import { openPackageData } from "../debian/package-file.ts";
import type { Mirror } from "../debian/mirror.ts";
import { infrastructureError } from "../errors.ts";
import { gzip } from "../normalise/gzip.ts";
import { createDigester } from "../oci/digest.ts";
import type { OciLayout } from "../oci/layout.ts";
import { parsePlatform, type PlatformName } from "../oci/platform.ts";
import { readTar } from "../oci/tar/read.ts";
import { type TarInput, tarEntries } from "../oci/tar/write.ts";
import { type Descriptor, mediaTypes } from "../oci/types.ts";
import type { Recipe, Release } from "../recipe/schema.ts";

/** How a recipe describes an upstream put together from Debian's binaries. */
export type DebianUpstream = Extract<Recipe["upstream"], { debian: unknown }>["debian"];
/** The published packages, one for each platform. */
export type UpstreamPackages = NonNullable<Release["upstream"]["debian"]>;

const maxFileBytes = 256 * 1024 * 1024;

/**
 * Puts an upstream index together from packages that Debian published: the named files
 * with the owners, modes and times Debian gave them, in one layer for each platform. It
 * stands in for an upstream image where no registry is in reach; the files in it were
 * built by others. The same packages give the same digest.
 */
export async function assembleDebianUpstream(
  upstream: DebianUpstream,
  packages: UpstreamPackages,
  context: { readonly blobs: OciLayout; readonly mirror: Mirror; readonly signal?: AbortSignal },
): Promise<Descriptor> {
  const manifests: Descriptor[] = [];
  for (const file of packages) {
    const { digest } = await context.mirror.fetchFile(file, context.signal);
    const blob: Descriptor = { mediaType: "application/vnd.debian.binary-package", digest, size: file.size };
    const entries = await pickFiles(upstream, context.blobs.openBlob(blob, context.signal), file.path);
    const manifest = await writeImage(upstream, entries, file, context.blobs);
    manifests.push({ ...manifest, platform: parsePlatform(file.platform) });
  }
  const index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests };
  return context.blobs.writeBytes(JSON.stringify(index, null, 2), mediaTypes.index);
}

async function pickFiles(
  upstream: DebianUpstream,
  packageBytes: AsyncIterable<Uint8Array>,
  name: string,
): Promise<TarInput[]> {
  const wanted = new Map(Object.entries(upstream.files).map(([to, from]) => [from.slice(1), to.slice(1)]));
  const picked: TarInput[] = [];
  for await (const entry of readTar(openPackageData(packageBytes))) {
    const path = wanted.get(entry.path.replace(/^\.\//, ""));
    if (path === undefined || entry.type !== "file") continue;
    if (entry.size > maxFileBytes)
      throw infrastructureError(`${entry.path} in ${name} is larger than ${maxFileBytes} bytes`);
    const content = Buffer.concat(await Array.fromAsync(entry.content));
    const mtime = Math.trunc(Number(entry.mtime));
    picked.push({
      type: "file",
      path,
      mode: entry.mode & 0o7777,
      uid: Number(entry.uid),
      gid: Number(entry.gid),
      mtime,
      size: content.length,
      content,
    });
  }
  if (picked.length !== wanted.size) throw infrastructureError(`${name} lacks one of ${[...wanted.keys()].join(", ")}`);
  return picked.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

async function writeImage(
  upstream: DebianUpstream,
  entries: readonly TarInput[],
  file: { readonly path: string; readonly platform: PlatformName },
  blobs: OciLayout,
): Promise<Descriptor> {
  const tar = createDigester();
  const layer = await blobs.writeStream(
    gzip(
      (async function* () {
        for await (const chunk of tarEntries(entries)) {
          tar.update(chunk);
          yield chunk;
        }
      })(),
    ),
  );
  const created = configTime(Math.max(...entries.map((entry) => entry.mtime)));
  const { architecture, os, variant } = parsePlatform(file.platform);
  const config = await blobs.writeBytes(
    JSON.stringify({
      created,
      architecture,
      ...(variant !== undefined && { variant }),
      os,
      config: {
        Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
        Entrypoint: upstream.entrypoint,
        WorkingDir: "/",
      },
      rootfs: {
        type: "layers",
        diff_ids: [tar.digest()],
      },
      history: [
        {
          created,
          created_by: `files of ${file.path.split("/").at(-1)}`,
        },
      ],
    }),
    mediaTypes.config,
  );
  const layers = [{ mediaType: mediaTypes.layerGzip, ...layer }];
  return blobs.writeBytes(
    JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers }, null, 2),
    mediaTypes.manifest,
  );
}
