import { configTime, readConfig, readManifest } from "../oci/manifest.ts";
import type { Mirror } from "../debian/mirror.ts";
import { infrastructureError } from "../errors.ts";
import { gzip } from "../normalise/gzip.ts";
import { createDigester, type Digest } from "../oci/digest.ts";
import type { OciLayout } from "../oci/layout.ts";
import { parsePlatform, type PlatformName } from "../oci/platform.ts";
import { type TarInput, tarEntries } from "../oci/tar/write.ts";
import { type Descriptor, mediaTypes } from "../oci/types.ts";
import type { Release } from "../recipe/schema.ts";
import type { DebianUpstream } from "../recipe/upstream.ts";
import { pickPackageFiles } from "./pick-files.ts";

/** The published packages, for each platform in the recipe's order. */
export type UpstreamPackages = NonNullable<Release["upstream"]["debian"]>;

/** What an upstream is put together with. */
export interface AssembleContext {
  readonly blobs: OciLayout;
  readonly mirror: Mirror;
  /** The images that lie below, by platform; in `blobs`. */
  readonly below?: ReadonlyMap<PlatformName, Descriptor>;
  readonly signal?: AbortSignal;
}

const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Puts an upstream index together from packages that Debian published: the named files
 * with the owners, modes and times Debian gave them, in one layer for each platform, on
 * the image that lies below where there is one. It stands in for an upstream image where
 * no registry is in reach; the files in it were built by others. The same packages give
 * the same digest.
 */
export async function assembleDebianUpstream(
  upstream: DebianUpstream,
  packages: UpstreamPackages,
  context: AssembleContext,
): Promise<Descriptor> {
  const manifests: Descriptor[] = [];
  for (const [platform, files] of Map.groupBy(packages, (file) => file.platform)) {
    const opened = [];
    for (const file of files) {
      const { digest } = await context.mirror.fetchFile(file, context.signal);
      const blob: Descriptor = { mediaType: "application/vnd.debian.binary-package", digest, size: file.size };
      opened.push({ name: file.path, bytes: context.blobs.openBlob(blob, context.signal) });
    }
    const entries = await pickPackageFiles(upstream.files, opened);
    const manifest = await writeImage(upstream, entries, { platform, files }, context);
    manifests.push({ ...manifest, platform: parsePlatform(platform) });
  }
  const index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests };
  return context.blobs.writeBytes(JSON.stringify(index, null, 2), mediaTypes.index);
}

/** What an image begins with: nothing, or the image below. */
interface Below {
  readonly layers: readonly Descriptor[];
  readonly diffIds: readonly Digest[];
  readonly env: readonly string[];
  readonly config: Readonly<Record<string, unknown>>;
  readonly history: readonly unknown[];
}

async function readBelow({ on }: DebianUpstream, platform: PlatformName, context: AssembleContext): Promise<Below> {
  const nothing = { layers: [], diffIds: [], env: [`PATH=${defaultPath}`], config: {}, history: [] };
  if (on === undefined) return nothing;
  const image = context.below?.get(platform);
  if (!image) throw infrastructureError(`the image ${on} that upstream lies on is not there for ${platform}`);
  const manifest = await readManifest(context.blobs, image, context.signal);
  const { config, rootfs, history } = await readConfig(context.blobs, manifest.config, context.signal);
  const env = Array.isArray(config?.["Env"]) ? config["Env"].map(String) : nothing.env;
  return { layers: manifest.layers, diffIds: rootfs.diff_ids, env, config: config ?? {}, history: history ?? [] };
}

async function writeImage(
  upstream: DebianUpstream,
  entries: readonly TarInput[],
  { platform, files }: { readonly platform: PlatformName; readonly files: UpstreamPackages },
  context: AssembleContext,
): Promise<Descriptor> {
  const { blobs } = context;
  const below = await readBelow(upstream, platform, context);
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
  const { architecture, os, variant } = parsePlatform(platform);
  const config = await blobs.writeBytes(
    JSON.stringify({
      created,
      architecture,
      ...(variant !== undefined && { variant }),
      os,
      config: { ...below.config, ...runtimeConfig(upstream, below) },
      rootfs: {
        type: "layers",
        diff_ids: [...below.diffIds, tar.digest()],
      },
      history: [
        ...below.history,
        {
          created,
          created_by: `files of ${files.map(({ path }) => path.split("/").at(-1)).join(", ")}`,
        },
      ],
    }),
    mediaTypes.config,
  );
  const layers = [...below.layers, { mediaType: mediaTypes.layerGzip, ...layer }];
  return blobs.writeBytes(
    JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers }, null, 2),
    mediaTypes.manifest,
  );
}

function runtimeConfig(upstream: DebianUpstream, { env, config }: Below): Readonly<Record<string, unknown>> {
  const { entrypoint, cmd, user, exposedPorts, stopSignal } = upstream;
  const named = (variable: string): string => variable.slice(0, variable.indexOf("="));
  const kept = env.filter((variable) => !Object.hasOwn(upstream.env, named(variable)));
  const workingDir = upstream.workingDir ?? config["WorkingDir"] ?? "/";
  return {
    ...(user !== undefined && { User: user }),
    ...(exposedPorts.length > 0 && {
      ExposedPorts: Object.fromEntries(
        exposedPorts.map((port) => [port.includes("/") ? port : `${port}/tcp`, {}] as const),
      ),
    }),
    Env: [...kept, ...Object.entries(upstream.env).map(([name, value]) => `${name}=${value}`)],
    ...(entrypoint && { Entrypoint: entrypoint }),
    ...(cmd && { Cmd: cmd }),
    WorkingDir: workingDir,
    ...(stopSignal !== undefined && { StopSignal: stopSignal }),
  };
}
