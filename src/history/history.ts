import pLimit from "p-limit";
import { infrastructureError, messageOf, RefoundryError } from "../errors.ts";
import { canonicalJson } from "../json.ts";
import type { NightlyRun } from "../nightly-run.ts";
import { type Digest, digestOf } from "../oci/digest.ts";
import type { Repository } from "../oci/repository.ts";
import { type Descriptor, type ImageManifest, mediaTypes } from "../oci/types.ts";
import { parseRun, runIdPattern } from "./run-document.ts";

/** The type of the artifact that holds one run, and of its only layer. */
export const runType = "application/vnd.refoundry.nightly.v1+json";

/** The media type of the empty config (image-spec, guidance for an empty descriptor). */
const emptyConfig = {
  mediaType: "application/vnd.oci.empty.v1+json",
  digest: digestOf("{}"),
  size: 2,
} as const satisfies Descriptor;
const tagPrefix = "nightly-";
/** Bytes; ten thousand releases of four platforms take about half of it. */
const largestRun = 64 * 1024 * 1024;
const mostRuns = 1000;
const defaultRuns = 90;

/** The tag of a run in a history repository. */
export function runTag(id: string): string {
  if (runIdPattern.test(id)) return `${tagPrefix}${id}`;
  throw new Error(`${JSON.stringify(id)} is no run's id`);
}

/**
 * Keeps a run: an image manifest of `artifactType` {@link runType} with run.json as its
 * only layer (image-spec, guidelines for artifact usage), under the run's tag. The tag is
 * written last, so a run is there whole or not at all. Gives the manifest's descriptor.
 */
export async function writeRun(to: Repository, run: NightlyRun, signal?: AbortSignal): Promise<Descriptor> {
  const bytes = Buffer.from(`${JSON.stringify(run, null, 2)}\n`);
  if (bytes.length > largestRun)
    throw infrastructureError(`the run's document has ${bytes.length} bytes; at most ${largestRun} are kept`);
  const layer: Descriptor = {
    mediaType: runType,
    digest: digestOf(bytes),
    size: bytes.length,
    annotations: { "org.opencontainers.image.title": "run.json" },
  };
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType: runType,
    config: emptyConfig,
    layers: [layer],
    annotations: { "org.opencontainers.image.created": run.startedAt },
  };
  const options = signal ? { signal } : {};
  await to.pushBlob(emptyConfig, () => once(Buffer.from("{}")), options);
  await to.pushBlob(layer, () => once(bytes), options);
  return to.pushManifest(Buffer.from(canonicalJson(manifest)), mediaTypes.manifest, runTag(run.id), signal);
}

/** How many runs to read, and what to do about one that cannot be read. */
export interface ReadRunsOptions {
  /** At most this many, 1 to 1000; 90 when not said. */
  readonly limit?: number;
  /** Told of a run that is damaged, which is then left out; without it the first damaged one is thrown. */
  readonly onDamaged?: (tag: string, message: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * The newest runs of a history, newest first. Every document's size and digest are
 * checked. Tags of another form are not looked at. Throws an infrastructure error for a
 * repository that cannot be read.
 */
export async function readRuns(from: Repository, options: ReadRunsOptions = {}): Promise<NightlyRun[]> {
  const { onDamaged, signal } = options;
  const limit = Math.max(1, Math.min(mostRuns, options.limit ?? defaultRuns));
  const ids = (await from.listTags(signal)).flatMap((tag) => {
    const id = tag.startsWith(tagPrefix) ? tag.slice(tagPrefix.length) : "";
    return runIdPattern.test(id) ? [id] : [];
  });
  // ids are times of one form, so their order is that of time
  const newest = ids.toSorted().toReversed().slice(0, limit);
  const together = pLimit(4);
  const runs = await Promise.all(
    newest.map((id) =>
      together(async () => {
        try {
          return await readRun(from, id, signal);
        } catch (error) {
          if (!onDamaged || !(error instanceof RefoundryError) || error.kind === "interrupted") throw error;
          onDamaged(runTag(id), messageOf(error));
          return undefined;
        }
      }),
    ),
  );
  return runs.filter((run) => run !== undefined);
}

/** One run of a history. Throws an infrastructure error when it is missing, or not what its digests and its tag say. */
export async function readRun(from: Repository, id: string, signal?: AbortSignal): Promise<NightlyRun> {
  const where = `${from.name}:${runTag(id)}`;
  const { bytes } = await from.resolve(runTag(id), signal);
  const layer = layerOf(bytes, where);
  if (layer.size > largestRun)
    throw infrastructureError(`${where} has ${layer.size} bytes; at most ${largestRun} are read`);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of from.openBlob(layer, signal)) {
    size += chunk.length;
    if (size > layer.size) break;
    chunks.push(chunk);
  }
  const content = Buffer.concat(chunks);
  const digest: Digest = digestOf(content);
  if (size !== layer.size || digest !== layer.digest)
    throw infrastructureError(`${where} holds ${digest} with ${size} bytes, and its manifest says ${layer.digest}`);
  const run = parseRun(content, where);
  if (run.id === id) return run;
  throw infrastructureError(`${where} holds the run ${run.id}`);
}

function layerOf(bytes: Uint8Array, where: string): Descriptor {
  const manifest = JSON.parse(Buffer.from(bytes).toString("utf8")) as Partial<ImageManifest> | null;
  const [layer, ...more] = Array.isArray(manifest?.layers) ? manifest.layers : [];
  if (manifest?.artifactType === runType && layer?.mediaType === runType && more.length === 0) return layer;
  throw infrastructureError(`${where} is no artifact of the type ${runType}`);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
