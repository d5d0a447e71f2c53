import type { Mirror } from "../debian/mirror.ts";
import type { ToolSet, UnpackedTools } from "../debian/unpack-tools.ts";
import type { EngineHandle } from "../engine/types.ts";
import type { Emit } from "../events.ts";
import type { RegistryClient } from "../oci/registry/client.ts";
import type { LoadedRelease } from "../recipe/load.ts";
import type { Settings } from "../settings.ts";
import type { Store } from "../store/store.ts";

/** What the factory works with: adapters and settings, made by a command and passed on. */
export interface Factory {
  readonly settings: Settings;
  readonly store: Store;
  readonly mirror: Mirror;
  readonly registry: RegistryClient;
  readonly unpack: (set: ToolSet) => Promise<UnpackedTools>;
  readonly engine: () => Promise<EngineHandle>;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

/** A recipe at one release with everything it names. */
export type ReleaseInputs = LoadedRelease;
