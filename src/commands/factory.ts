import { findMachineMirror } from "../debian/machine-mirror.ts";
import { openMirror } from "../debian/mirror.ts";
import { type ToolSet, type UnpackedTools, unpackTools } from "../debian/unpack-tools.ts";
import { selectEngine } from "../engine/select.ts";
import type { EngineHandle } from "../engine/types.ts";
import { runStage } from "../events.ts";
import { createRegistryClient } from "../oci/registry/client.ts";
import type { Factory } from "../rebuild/types.ts";
import { createRenderer } from "../report/progress.ts";
import { readSettings } from "../settings.ts";
import { withLock } from "../process/lock.ts";
import { openStore } from "../store/store.ts";
import { join } from "node:path";
import type { CliContext } from "./context.ts";

/** Opens the store and the adapters, runs `work`, and closes them whatever happens. */
export async function withFactory<T>(context: CliContext, work: (factory: Factory) => Promise<T>): Promise<T> {
  const settings = readSettings(context.process.env);
  const store = await openStore(settings.store);
  const { stderr } = context.process;
  const renderer = createRenderer({ stream: stderr, kind: stderr.isTTY ? "live" : "plain" });
  const mirror = openMirror(store.blobs, async () => settings.debianMirror ?? (await findMachineMirror()));
  const registry = createRegistryClient({ env: context.process.env });
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
  try {
    return await work({
      settings,
      store,
      mirror,
      registry,
      unpack,
      emit,
      signal,
      engine: () => (engine ??= selectEngine(settings, { emit, unpack })),
    });
  } finally {
    renderer.close();
    await Promise.all([mirror.close(), registry.close(), store.close()]);
  }
}
