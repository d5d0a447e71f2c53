import { findMachineMirror } from "../debian/machine-mirror.ts";
import { openMirror } from "../debian/mirror.ts";
import { offlineMirror } from "../debian/offline-mirror.ts";
import { openSnapshotArchive } from "../debian/snapshot.ts";
import { type ToolSet, type UnpackedTools, unpackTools } from "../debian/unpack-tools.ts";
import { selectEngine } from "../engine/select.ts";
import type { EngineHandle } from "../engine/types.ts";
import { type Emit, runStage } from "../events.ts";
import { usageError } from "../errors.ts";
import { openLayoutRepository } from "../oci/layout-repository.ts";
import { parseReference } from "../oci/reference.ts";
import { createRegistryClient, type RegistryClient } from "../oci/registry/client.ts";
import type { Repository } from "../oci/repository.ts";
import { freeMemory } from "../process/free-memory.ts";
import { createBuildPlaces } from "../rebuild/build-places.ts";
import type { Factory } from "../rebuild/types.ts";
import { createRenderer } from "../report/progress.ts";
import { readSettings, type Settings } from "../settings.ts";
import type { Signer } from "../sign/signer.ts";
import type { TrustedSigners } from "../sign/verify-bundle.ts";
import { withLock } from "../process/lock.ts";
import { rememberOrigin } from "../store/origins.ts";
import { openStore } from "../store/store.ts";
import { join } from "node:path";
import type { CliContext } from "./context.ts";
import { createRestore, offlineRegistry } from "./escrow.ts";

/** What a command line says of the factory. */
export interface FactoryOptions {
  readonly key?: string;
  readonly progress?: string;
  /** Where releases' inputs are kept; by default what the settings say. */
  readonly escrow?: string;
  /** The one capsule, by reference, that everything comes from. */
  readonly fromCapsule?: string;
  /** Nothing is fetched but from the store and the escrow. */
  readonly offline?: boolean;
  /** Another store than the settings' one. */
  readonly store?: string;
}

/** Opens the store and the adapters, runs `work`, and closes them whatever happens. */
export async function withFactory<T>(
  context: CliContext,
  work: (factory: Factory) => Promise<T>,
  options: FactoryOptions = {},
): Promise<T> {
  const read = readSettings(context.process.env);
  const offline = options.offline ?? options.fromCapsule !== undefined;
  // what others staged is neither in the store nor in the escrow
  const settings: Settings = { ...read, store: options.store ?? read.store, ...(offline && { staging: undefined }) };
  const { stderr } = context.process;
  const renderer = createRenderer({ stream: stderr, kind: readProgress(options.progress, stderr.isTTY) });
  const store = await openStore(settings.store);
  const snapshot =
    settings.debianSnapshot === undefined || offline ? undefined : openSnapshotArchive(settings.debianSnapshot);
  const mirror = offline
    ? offlineMirror(store.blobs)
    : openMirror(store.blobs, async () => settings.debianMirror ?? (await findMachineMirror()), {
        ...(snapshot && { archive: snapshot }),
        onFetched: (digest, from) => rememberOrigin(store, digest, from === "mirror" ? "the Debian mirror" : from),
      });
  const client = createRegistryClient({ env: context.process.env });
  const registry = offline ? offlineRegistry(client) : client;
  const { emit } = renderer;
  const { signal } = context;
  const unpack = (set: ToolSet): Promise<UnpackedTools> =>
    withLock(
      join(settings.cache, "tools", `${set.name}.lock`),
      () =>
        runStage(emit, { stage: "setup", title: `programs: ${set.name}` }, async () => {
          const value = await unpackTools(set, {
            folder: join(settings.cache, "tools"),
            blobs: store.blobs,
            mirror,
            temporaryFolder: await store.temporaryFolder("tools"),
            signal,
            onProgress: (doing) => emit({ type: "stage-progress", stage: "setup", doing }),
          });
          return { value, detail: Object.values(value.versions)[0] ?? "", reused: value.reused };
        }),
      { signal },
    );
  let engine: Promise<EngineHandle> | undefined;
  let signer: Promise<Signer> | undefined;
  let staging: Promise<Repository | undefined> | undefined;
  let trusted: Promise<TrustedSigners> | undefined;
  const chosenSigner = (): Promise<Signer> =>
    (signer ??= chooseSigner(options.key ?? settings.key, settings, context, emit));
  try {
    return await work({
      settings,
      store,
      mirror,
      ...(snapshot && { snapshot }),
      registry,
      unpack,
      places: createBuildPlaces({ jobs: settings.jobs, memoryPerBuild: settings.jobMemory }, () => freeMemory()),
      emit,
      signal,
      offline,
      restore: createRestore({ escrow: settings.escrow, ...options }, client, store, {
        cwd: context.cwd,
        emit,
        signal,
      }),
      engine: () => (engine ??= selectEngine(settings, { emit, unpack })),
      staging: () => (staging ??= openStaging(settings, registry)),
      trustedBuilders: () => (trusted ??= readTrustedBuilders(settings, chosenSigner)),
      signer: chosenSigner,
    });
  } finally {
    renderer.close();
    await Promise.all([mirror.close(), snapshot?.close(), client.close(), store.close()]);
  }
}

function readProgress(value: string | undefined, isTerminal: boolean): "live" | "plain" | "json" {
  if (value === undefined || value === "auto") return isTerminal ? "live" : "plain";
  if (value === "plain" || value === "json") return value;
  throw usageError(`--progress takes auto, plain or json, and got ${value}`);
}

async function chooseSigner(
  key: string | undefined,
  settings: Settings,
  { process }: CliContext,
  emit: Emit,
): Promise<Signer> {
  // signing brings a good part of sigstore with it, which most commands do without
  const { selectSigner } = await import("../sign/select-signer.ts");
  const { signer, demoPublicKey } = await selectSigner(key, process.env, join(settings.cache, "keys"));
  if (demoPublicKey !== undefined)
    emit({
      type: "notice",
      severity: "info",
      message: `no signing key was given: signing with one made for this machine (${demoPublicKey}), which proves nothing to others; --key FILE signs with yours`,
    });
  return signer;
}

async function openStaging({ staging }: Settings, registry: RegistryClient): Promise<Repository | undefined> {
  if (staging === undefined) return undefined;
  const reference = parseReference(staging);
  if (reference.kind === "oci" && reference.tag === undefined && reference.digest === undefined)
    return openLayoutRepository(reference.path);
  if (reference.kind === "registry" && reference.tag === undefined && reference.digest === undefined)
    return registry.repository(reference);
  throw usageError(`staging is HOST/NAME or oci:PATH, without a tag or digest, and not ${staging}`);
}

/** Our own builds count, and those of the builders whose public keys the settings name. */
async function readTrustedBuilders(settings: Settings, signer: () => Promise<Signer>): Promise<TrustedSigners> {
  const { readPublicKey } = await import("../sign/key-file.ts");
  const { readKeyFile } = await import("../sign/select-signer.ts");
  const { name, publicKey } = await signer();
  const others = await Promise.all(
    settings.trustedKeys.map(async (path) => ({ name: path, publicKey: readPublicKey(await readKeyFile(path), path) })),
  );
  return { keys: [...(publicKey ? [{ name, publicKey }] : []), ...others] };
}
