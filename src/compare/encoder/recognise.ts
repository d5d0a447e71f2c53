import { createInflateRaw, createZstdDecompress } from "node:zlib";
import { infrastructureError } from "../../errors.ts";
import { zstdFrames } from "../../oci/zstd.ts";
import { expandBlob } from "./expand.ts";
import { type GzipHeader, maxGzipHeaderBytes, parseGzipHeader } from "./gzip-header.ts";
import { headerDistance } from "./header-distance.ts";
import { through } from "./through.ts";
import {
  type Candidate,
  type Expansion,
  compareWhole,
  fitsStart,
  type Outcome,
  readStart,
  type Trial,
} from "./trial.ts";
import type { EncoderIdentity, GzipEncoder } from "./types.ts";
import { type ZstdEncoder, zstdEncoders } from "./zstd-encoders.ts";
import { parseZstdFrame, type ZstdFrame } from "./zstd-frame.ts";

type Chunks = AsyncIterable<Uint8Array>;

/** What an encoder was told besides the content. */
export type EncoderSettings =
  | { readonly compression: "gzip"; readonly header: GzipHeader }
  | { readonly compression: "zstd"; readonly frame: ZstdFrame };

/** The encoder that gives a blob's very bytes for what is in it. */
export interface RecognisedEncoder extends EncoderIdentity {
  readonly settings: EncoderSettings;
  /** Every byte of the blob was compared. */
  readonly exact: true;
  /** Other encoders that give the same bytes for this content, by name. */
  readonly alsoBy: readonly string[];
}

/** What came of trying encoders. */
export interface EncoderTrial {
  readonly recognised?: RecognisedEncoder;
  /** Families and versions that were candidates, as in `gnu-gzip 1.12`, sorted. */
  readonly tried: readonly string[];
  /** Why no encoder was recognised, in a few words. */
  readonly reason?: string;
}

/** How far recognising goes. */
export interface RecogniseOptions {
  /** Content with which candidates are first told apart, in memory; 4 MiB. */
  readonly startBytes?: number;
  /** What the blob may expand to, all trials together; 64 GiB. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
}

const defaultStartBytes = 4 * 1024 ** 2;
const defaultMaxBytes = 64 * 1024 ** 3;

/**
 * The encoder that gives a blob's very bytes, or nothing: see {@link tryEncoders}.
 */
export async function recogniseEncoder(
  blob: () => Chunks,
  encoders: readonly GzipEncoder[],
  options: RecogniseOptions = {},
): Promise<RecognisedEncoder | undefined> {
  return (await tryEncoders(blob, encoders, options)).recognised;
}

/**
 * Finds which encoder compressed a blob (gzip of one member, RFC 1952, or one zstd frame,
 * RFC 8878) by compressing its content again with each and comparing every byte. Only the
 * start of the content is ever in memory. `blob` opens the blob anew and is called twice,
 * and twice more for each candidate that the start does not refute. For zstd the
 * candidates are Node's own. Damaged blobs, several members or frames, and bytes behind
 * the end are told in `reason`; throws what `blob` or an encoder throws, and when interrupted.
 */
export async function tryEncoders(
  blob: () => Chunks,
  encoders: readonly GzipEncoder[],
  options: RecogniseOptions = {},
): Promise<EncoderTrial> {
  const start = await readAtMost(blob(), maxGzipHeaderBytes);
  const budget = { left: options.maxBytes ?? defaultMaxBytes };
  const common = { open: blob, ...(options.signal && { signal: options.signal }) };
  const gzip = parseGzipHeader(start);
  if (gzip) {
    const { header, length } = gzip;
    const expand = (chunks: Chunks): Expansion =>
      expandBlob(chunks, (all) => through(without(all, length), createInflateRaw({ chunkSize })), budget);
    const ordered = encoders.toSorted((a, b) => headerDistance(header, a) - headerDistance(header, b));
    const candidates = ordered.map((encoder) => ({
      encoder,
      encode: (content: Chunks) => encoder.encode(content, header, options.signal),
    }));
    return tryEach(candidates, { ...common, expand }, { compression: "gzip", header }, options);
  }
  const frame = parseZstdFrame(start);
  if (!frame) return { tried: [], reason: "it is neither gzip nor zstd" };
  const expand = (chunks: Chunks): Expansion => expandBlob(chunks, firstFrame, budget);
  const candidates = zstdEncoders.map((encoder) => ({
    encoder,
    encode: (content: Chunks) => encoder.encode(content, frame),
  }));
  return tryEach(candidates, { ...common, expand }, { compression: "zstd", frame }, options);
}

const chunkSize = 128 * 1024;

/** What is in the first frame: Node's decompressor is not given the bytes behind it, which it may take for damage. */
async function* firstFrame(chunks: Chunks): AsyncGenerator<Uint8Array> {
  for await (const frame of zstdFrames(chunks, "the blob")) {
    yield* through(frame, createZstdDecompress({ chunkSize }));
    return;
  }
}

/**
 * The blob that a recognised encoder gives for a content: for what was in the blob, its
 * very bytes. Throws when that encoder is not among those given.
 */
export function encodeLike(
  recognised: Pick<RecognisedEncoder, "name" | "version" | "settings">,
  encoders: readonly GzipEncoder[],
  content: Chunks,
  signal?: AbortSignal,
): Chunks {
  const { settings } = recognised;
  const isIt = ({ name, version }: EncoderIdentity): boolean =>
    name === recognised.name && version === recognised.version;
  if (settings.compression === "gzip") {
    const encoder = encoders.find(isIt);
    if (encoder) return encoder.encode(content, settings.header, signal);
  } else {
    const encoder: ZstdEncoder | undefined = zstdEncoders.find(isIt);
    if (encoder) return encoder.encode(content, settings.frame);
  }
  throw infrastructureError(`the encoder ${recognised.name} (${recognised.version}) is not here`);
}

const reasons: Readonly<Record<Exclude<Outcome, "exact">, string>> = {
  shorter: "an encoder gives its first part, and more follows",
  other: "no encoder that was tried gives its bytes",
  damaged: "it cannot be decompressed",
  "too-large": "it expands to more than is allowed",
};

interface NamedCandidate extends Candidate {
  readonly encoder: EncoderIdentity;
}

async function tryEach(
  candidates: readonly NamedCandidate[],
  trial: Trial,
  settings: EncoderSettings,
  { startBytes = defaultStartBytes, signal }: RecogniseOptions,
): Promise<EncoderTrial> {
  const tried = [...new Set(candidates.map(({ encoder }) => `${encoder.family} ${encoder.version}`))].toSorted();
  const start = await readStart(trial, startBytes);
  if (start.end === "damaged" || start.end === "too-large") return { tried, reason: reasons[start.end] };
  const exact: EncoderIdentity[] = [];
  let outcome: Exclude<Outcome, "exact"> = "other";
  for (const candidate of candidates) {
    if (!(await fitsStart(candidate, start, signal))) continue;
    const found = await compareWhole(candidate, trial);
    if (found === "exact") exact.push(candidate.encoder);
    else if (found !== "other") outcome = found;
    if (found === "damaged" || found === "too-large") break;
  }
  const [first, ...others] = exact;
  if (!first) return { tried, reason: reasons[outcome] };
  const { name, family, version, level } = first;
  const alsoBy = others.map((encoder) => encoder.name);
  return { tried, recognised: { name, family, version, level, settings, exact: true, alsoBy } };
}

async function readAtMost(chunks: Chunks, bytes: number): Promise<Buffer> {
  const kept: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    kept.push(chunk);
    size += chunk.length;
    if (size >= bytes) break;
  }
  return Buffer.concat(kept).subarray(0, bytes);
}

async function* without(chunks: Chunks, count: number): AsyncGenerator<Uint8Array> {
  let left = count;
  for await (const chunk of chunks) {
    if (chunk.length > left) yield chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
}
