import type { Mirror } from "../debian/mirror.ts";
import type { SnapshotArchive } from "../debian/snapshot.ts";
import type { ToolSet, UnpackedTools } from "../debian/unpack-tools.ts";
import type { EngineHandle } from "../engine/types.ts";
import type { Emit } from "../events.ts";
import type { Digest } from "../oci/digest.ts";
import type { PlatformName } from "../oci/platform.ts";
import type { RegistryClient } from "../oci/registry/client.ts";
import type { Repository } from "../oci/repository.ts";
import type { Descriptor } from "../oci/types.ts";
import type { LoadedRelease } from "../recipe/load.ts";
import type { Signer } from "../sign/signer.ts";
import type { TrustedSigners } from "../sign/verify-bundle.ts";
import type { Settings } from "../settings.ts";
import type { Store } from "../store/store.ts";
import type { BuildPlaces } from "./build-places.ts";

/** What the factory works with: adapters and settings, made by a command and passed on. */
export interface Factory {
  readonly settings: Settings;
  readonly store: Store;
  readonly mirror: Mirror;
  /** Everything that the Debian archive ever had; absent where none is known, and offline. */
  readonly snapshot?: SnapshotArchive;
  readonly registry: RegistryClient;
  readonly unpack: (set: ToolSet) => Promise<UnpackedTools>;
  readonly engine: () => Promise<EngineHandle>;
  /** Who signs; throws a usage error when the key that was asked for cannot be used. */
  readonly signer: () => Promise<Signer>;
  /** The repository where builds are kept under their build keys; undefined where there is none. */
  readonly staging: () => Promise<Repository | undefined>;
  /** Whose staged builds are taken over: our own, and those of the builders that the settings name. */
  readonly trustedBuilders: () => Promise<TrustedSigners>;
  /** Where builds wait until there is a processor and memory for them; shared by all that runs. */
  readonly places: BuildPlaces;
  /** Nothing is fetched but from the store and the escrow. */
  readonly offline: boolean;
  /** Puts what a release stands on into the store, as far as the escrow holds it; nothing where there is no escrow. */
  readonly restore: (release: LoadedRelease) => Promise<void>;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

/** A recipe at one release with everything it names. */
export type ReleaseInputs = LoadedRelease;

/** A release's named contexts, in place. */
export interface PreparedContexts {
  /** Staged sources by context. */
  readonly folders: Readonly<Record<string, string>>;
  /** Images in the store by context, as one platform gets them. */
  images(platform: PlatformName): Readonly<Record<string, Descriptor>>;
}

/** The pinned inputs of a build, in place. */
export interface PreparedInputs {
  readonly sourceFolder: string;
  readonly sourceOrigin: string;
  readonly contextFolder: string;
  readonly contextDigest: Digest;
  readonly dockerfile: string;
  readonly toolchain: Descriptor;
  readonly toolchainOrigin: string;
  readonly contexts: PreparedContexts;
}
