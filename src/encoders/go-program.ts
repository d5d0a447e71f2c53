import { randomUUID } from "node:crypto";
import { chmod, mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runBuildx } from "../build/buildx.ts";
import { stageBuildContext } from "../build/context.ts";
import { readBuildOutput } from "../build/read-output.ts";
import { infrastructureError, usageError } from "../errors.ts";
import { runStage } from "../events.ts";
import { canonicalJson } from "../json.ts";
import { type Digest, digestOf, hexOf } from "../oci/digest.ts";
import { openLayer } from "../oci/layer.ts";
import { type PlatformName, platformSlug } from "../oci/platform.ts";
import { readTar } from "../oci/tar/read.ts";
import type { Descriptor } from "../oci/types.ts";
import { lastLines, run } from "../process/run.ts";
import type { Factory } from "../rebuild/types.ts";
import { loadToolchain, loadToolchainLock } from "../recipe/load.ts";
import type { Toolchain, ToolchainLock } from "../recipe/schema.ts";
import { listToolchainLocks } from "../recipe/tree.ts";
import { withLock } from "../process/lock.ts";
import { obtainToolchain } from "../toolchain/obtain.ts";

/** A Go release whose compress/flate is not its predecessor's. */
export type GoRelease = "1.26" | "1.27";

/** A program that the factory built, as a file that can be run. */
export interface BuiltGoEncoder {
  readonly release: GoRelease;
  readonly path: string;
  readonly digest: Digest;
  readonly reused: boolean;
}

/** Our own toolchains and sources: the encoders belong to this program, not to a factory's recipes. */
const ownRoot = fileURLToPath(new URL("../..", import.meta.url));
const buildTimeoutSeconds = 3600;
const maxProgramBytes = 64 * 1024 ** 2;

const platforms: Readonly<Partial<Record<NodeJS.Architecture, PlatformName>>> = {
  x64: "linux/amd64",
  arm64: "linux/arm64",
  riscv64: "linux/riscv64",
  loong64: "linux/loong64",
  s390x: "linux/s390x",
};

interface Inputs {
  readonly release: GoRelease;
  readonly platform: PlatformName;
  readonly toolchain: Toolchain;
  readonly lock: ToolchainLock;
  readonly contextFolder: string;
  /** Digest of all that the program is built from. */
  readonly key: Digest;
}

/**
 * Gives the encoder of one Go release for this machine, from the store or newly built;
 * `again` compiles it although the store, or BuildKit's cache, has it.
 */
export async function ensureGoProgram(
  release: GoRelease,
  factory: Factory,
  { again = false }: { readonly again?: boolean } = {},
): Promise<BuiltGoEncoder> {
  const { store, emit, signal } = factory;
  const inputs = await readInputs(release, factory);
  return runStage(emit, { stage: "setup", title: `encoder: gzip of Go ${release}` }, async () => {
    const made = await withLock(
      store.lockPath(`encoder-go-${release}`),
      async () => {
        const known = await store.readRecord<Descriptor>("encoders", inputs.key);
        const reused = !again && known !== undefined && (await store.blobs.has(known));
        const program = reused ? known : await buildProgram(inputs, factory, again);
        const path = await placeProgram(program, factory);
        await checkRelease(release, path, signal);
        if (!reused) await store.writeRecord("encoders", inputs.key, program);
        return { release, path, digest: program.digest, reused };
      },
      { signal },
    );
    return { value: made, detail: made.digest.slice(0, 19), reused: made.reused };
  });
}

async function readInputs(release: GoRelease, { store }: Factory): Promise<Inputs> {
  const platform = process.platform === "linux" ? platforms[process.arch] : undefined;
  if (platform === undefined)
    throw infrastructureError(`no Go encoder can be built for ${process.platform} on ${process.arch}`);
  const name = `go-${release}`;
  const toolchain = await loadToolchain(ownRoot, name);
  const lockName = (await listToolchainLocks(ownRoot, name)).at(-1);
  if (lockName === undefined)
    throw usageError(`the toolchain ${name} has no lock`, { hint: `refoundry toolchain lock ${name}` });
  const lock = await loadToolchainLock(ownRoot, name, lockName);
  const contextFolder = await store.temporaryFolder("encoder-context");
  const context = await stageBuildContext(join(ownRoot, "encoders/go-gzip"), contextFolder, lock.epoch);
  // neither BuildKit nor the exporter changes what the compiler writes
  const key = digestOf(canonicalJson({ encoder: "go-gzip", release, context, toolchain: lock.digest, platform }));
  return { release, platform, toolchain, lock, contextFolder, key };
}

async function buildProgram(inputs: Inputs, factory: Factory, noCache: boolean): Promise<Descriptor> {
  const { store, emit, signal } = factory;
  const { release, platform, toolchain, lock, contextFolder } = inputs;
  const { image } = await obtainToolchain(
    { toolchain, digest: lock.digest, lock },
    { ...factory, temporaryFolder: await store.temporaryFolder("toolchain") },
  );
  const workFolder = await store.temporaryFolder(`encoder-${platformSlug(platform)}`);
  const outputFolder = join(workFolder, "image");
  const engine = await (await factory.engine()).acquire(signal);
  try {
    const result = await runBuildx(
      engine,
      {
        stage: "setup",
        platform,
        contextFolder,
        dockerfile: join(contextFolder, "Dockerfile"),
        folders: {},
        images: { toolchain: { layout: store.path, digest: image.digest } },
        buildArgs: { GO_RELEASE: release, SOURCE_DATE_EPOCH: String(lock.epoch) },
        outputFolder,
        noCache,
        workFolder,
        timeoutSeconds: buildTimeoutSeconds,
      },
      emit,
      signal,
    );
    if (!result.succeeded) {
      const { step = "buildx", message = "" } = result.failure ?? {};
      const said = lastLines(result.outputs.map(({ text }) => text).join(""), 15);
      throw infrastructureError(
        `the encoder of Go ${release} could not be built, at: ${step}\n${message}\n${said}`.trim(),
      );
    }
  } finally {
    await engine.release();
  }
  return keepProgram(outputFolder, inputs, factory);
}

/** Puts the one file of the built image into the store. */
async function keepProgram(
  outputFolder: string,
  { release, platform, lock }: Inputs,
  { store, signal }: Factory,
): Promise<Descriptor> {
  const { layout, manifest } = await readBuildOutput(outputFolder, platform, lock.epoch);
  const [layer, ...others] = manifest.layers;
  if (!layer || others.length > 0) throw infrastructureError(`the encoder of Go ${release} is not one layer`);
  for await (const entry of readTar(openLayer(layout, layer, signal).chunks)) {
    if (entry.type !== "file" || entry.path !== "go-gzip") continue;
    if (entry.size > maxProgramBytes)
      throw infrastructureError(`the encoder of Go ${release} has ${entry.size} bytes, which no encoder has`);
    return { mediaType: "application/octet-stream", ...(await store.blobs.writeStream(entry.content)) };
  }
  throw infrastructureError(`the build of the encoder of Go ${release} gave no program`);
}

/** A copy of the program that can be run, checked against its digest, in place in one step. */
async function placeProgram(program: Descriptor, { store, signal }: Factory): Promise<string> {
  const folder = join(store.path, "encoders");
  const path = join(folder, hexOf(program.digest));
  const draft = `${path}.${randomUUID()}`;
  await mkdir(folder, { recursive: true });
  await writeFile(draft, store.blobs.openBlob(program, signal), { flush: true });
  await chmod(draft, 0o755);
  await rename(draft, path);
  return path;
}

async function checkRelease(release: GoRelease, path: string, signal: AbortSignal): Promise<void> {
  const { exitCode, stdout } = await run({ file: path, args: ["-version"], timeoutSeconds: 30, signal });
  if (exitCode === 0 && (stdout.trim() === `go${release}` || stdout.startsWith(`go${release}.`))) return;
  throw infrastructureError(`the encoder of Go ${release} says that it is ${stdout.trim().slice(0, 100) || "nothing"}`);
}
