import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type BuildxResult, runBuildx, stepMark } from "../build/buildx.ts";
import { type BaseImage, readBuildOutput } from "../build/read-output.ts";
import { variedDockerfile, variedShell } from "../build/variations.ts";
import type { Engine } from "../engine/types.ts";
import { mismatch } from "../errors.ts";
import { canonicalJson } from "../json.ts";
import { lastLines } from "../process/run.ts";
import { type CompressedLayers, normaliserVersion, normaliseImage } from "../normalise/normalise-image.ts";
import { type Digest, digestOf } from "../oci/digest.ts";
import { hasImage, readConfig, readManifest } from "../oci/manifest.ts";
import { type PlatformName, platformSlug } from "../oci/platform.ts";
import type { Descriptor } from "../oci/types.ts";
import type { Variation } from "../recipe/variations.ts";
import type { Store } from "../store/store.ts";
import type { Factory, PreparedInputs, ReleaseInputs } from "./types.ts";

/** What the store remembers of a build, under its build key. */
export interface BuildRecord {
  readonly manifest: Descriptor;
  readonly log: Descriptor;
  /** Seconds that the build took. */
  readonly seconds: number;
  /** Whether a second build under varied conditions gave the same manifest. */
  readonly varied: boolean;
  /** Who built it, where it was another builder whose staged build was taken over. */
  readonly takenOver?: string;
}

/** A build that failed: at which step, why, and the log whole. */
export interface BuildFailure {
  readonly failed: { readonly step: string; readonly message: string };
  readonly logFile: string;
  readonly seconds: number;
}

const buildTimeoutSeconds = 6 * 3600;
const logType = "text/plain";

/** The record of a build whose image is still whole in the store. */
export async function findBuild(key: Digest, factory: Factory): Promise<BuildRecord | undefined> {
  const record = await factory.store.readRecord<BuildRecord>("builds", key);
  if (!record) return undefined;
  const { blobs } = factory.store;
  return (await blobs.has(record.log)) && (await hasImage(blobs, record.manifest)) ? record : undefined;
}

/** What buildx left behind when it built one platform. */
export interface PlatformBuild {
  readonly platform: PlatformName;
  readonly outputFolder: string;
  readonly logFile: string;
  readonly seconds: number;
  /** The images that it may be built on. */
  readonly bases: readonly Descriptor[];
}

/**
 * Builds one platform with buildx. With variations it never takes anything from BuildKit's
 * cache, to see whether the result is the same.
 */
export async function buildPlatform(
  build: {
    readonly inputs: ReleaseInputs;
    readonly prepared: PreparedInputs;
    readonly platform: PlatformName;
    readonly variations: readonly Variation[];
    readonly noCache: boolean;
  },
  engine: Engine,
  factory: Factory,
): Promise<PlatformBuild | BuildFailure> {
  const { inputs, prepared, platform, variations } = build;
  const { store, emit, signal } = factory;
  const workFolder = await store.temporaryFolder(`build-${platformSlug(platform)}`);
  const outputFolder = join(workFolder, "image");
  await mkdir(workFolder, { recursive: true });
  const { epoch } = inputs.release.source;
  const toolchain = await variedToolchain(prepared.toolchain, variations, store);
  const images = { toolchain, ...prepared.contexts.images(platform) };
  const result = await runBuildx(
    engine,
    {
      stage: "build",
      platform,
      contextFolder: prepared.contextFolder,
      dockerfile: variations.includes("path")
        ? await writeVaried(prepared.dockerfile, workFolder)
        : prepared.dockerfile,
      folders: { src: prepared.sourceFolder, ...prepared.contexts.folders },
      images: imagesOf(images, store),
      buildArgs: {
        ...inputs.recipe.build.args,
        ...inputs.recipe.build.platformArgs[platform],
        SOURCE_DATE_EPOCH: String(epoch),
        ...(variations.includes("hostname") && { BUILDKIT_SANDBOX_HOSTNAME: "varied-rebuild" }),
      },
      outputFolder,
      noCache: build.noCache || variations.length > 0,
      workFolder,
      timeoutSeconds: buildTimeoutSeconds,
    },
    emit,
    signal,
  );
  if (!result.succeeded) return failureOf(result);
  const { logFile, seconds } = result;
  return { platform, outputFolder, logFile, seconds, bases: Object.values(images) };
}

/** The toolchain's image with a shell that starts commands under the variations; the same layers. */
async function variedToolchain(
  toolchain: Descriptor,
  variations: readonly Variation[],
  { blobs }: Store,
): Promise<Descriptor> {
  const shell = variedShell(variations);
  if (shell === undefined) return toolchain;
  const manifest = await readManifest(blobs, toolchain);
  const config = await readConfig(blobs, manifest.config);
  const varied = { ...config, config: { ...config.config, Shell: shell } };
  const written = await blobs.writeBytes(Buffer.from(canonicalJson(varied)), manifest.config.mediaType);
  return blobs.writeBytes(Buffer.from(canonicalJson({ ...manifest, config: written })), toolchain.mediaType);
}

async function writeVaried(dockerfile: string, folder: string): Promise<string> {
  const text = await readFile(dockerfile, "utf8");
  const path = join(folder, "Dockerfile");
  await writeFile(path, variedDockerfile(text) ?? text);
  return path;
}

/** Images in the store as buildx is given them. */
export function imagesOf(
  images: Readonly<Record<string, Descriptor>>,
  store: Store,
): Record<string, { readonly layout: string; readonly digest: Digest }> {
  return Object.fromEntries(Object.entries(images).map(([name, { digest }]) => [name, { layout: store.path, digest }]));
}

/** Checks what buildx exported, normalises it, and puts it into the store with its log. */
export async function storeBuild(build: PlatformBuild, inputs: ReleaseInputs, factory: Factory): Promise<BuildRecord> {
  const { store, signal } = factory;
  const bases = await Promise.all(build.bases.map((base) => readBase(base, store)));
  const image = await readBuildOutput(build.outputFolder, build.platform, inputs.release.source.epoch, bases);
  const manifest = await normaliseImage(image, store.blobs, compressedLayers(store), signal);
  const log = await store.blobs.writeBytes(await readFile(build.logFile), logType);
  return { manifest, log, seconds: build.seconds, varied: false };
}

async function readBase(image: Descriptor, { blobs }: Store): Promise<BaseImage> {
  const { config } = await readManifest(blobs, image);
  const { rootfs, created, history = [] } = await readConfig(blobs, config);
  const times = [created, ...history.map((step) => step.created)];
  return { diffIds: rootfs.diff_ids, times: times.filter((time) => time !== undefined) };
}

/** The store's memory of compressed layers, by what was compressed and how. */
function compressedLayers(store: Store): CompressedLayers {
  const keyOf = (diffId: Digest): Digest => digestOf(`${diffId} ${normaliserVersion}`);
  return {
    find: (diffId) => store.readRecord<Descriptor>("compressed", keyOf(diffId)),
    remember: (diffId, layer) => store.writeRecord("compressed", keyOf(diffId), layer),
  };
}

/** Throws unless two builds of one key gave one manifest: anything else is nondeterminism. */
export function requireSameManifest(first: Digest, second: Digest, platform: PlatformName, between: string): void {
  if (first === second) return;
  throw mismatch(
    `the build for ${platform} is not deterministic: ${between} gave ${first} and ${second} from the same inputs`,
    {
      code: "not-deterministic",
      hint: `refoundry compare shows what differs; both are in the store, by these digests`,
    },
  );
}

/** Whether a build failed. */
export function isFailure(build: BuildRecord | PlatformBuild | BuildFailure): build is BuildFailure {
  return "failed" in build;
}

function failureOf(result: BuildxResult): BuildFailure {
  const { failure, logFile, seconds } = result;
  return { failed: failure ?? { step: "buildx", message: "it ended without saying why" }, logFile, seconds };
}

/** A failed build in a few lines: the step, what it said last, and why. */
export function describeFailure(build: BuildFailure, log: string): string {
  const output = log.split("\n").filter((line) => !line.startsWith(stepMark));
  return `${build.failed.step} failed: ${build.failed.message}\n${lastLines(output.join("\n"), 20)}`;
}
