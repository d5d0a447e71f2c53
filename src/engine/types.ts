import type { Emit } from "../events.ts";
import type { UnpackedTools, ToolSet } from "../debian/unpack-tools.ts";

/** A running engine that buildx can use. */
export interface Engine {
  readonly kind: "docker" | "embedded";
  /** The docker client. */
  readonly docker: string;
  /** buildx: the plugin's own program, with what goes before its arguments. */
  readonly buildx: { readonly file: string; readonly args: readonly string[] };
  /** Environment for both. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What builds: BuildKit's version where it tells one, else the engine's. Part of every build key. */
  readonly builderVersion: string;
  /** Platforms that it can run, natively or emulated. */
  readonly platforms: readonly string[];
  /** The platform that needs no emulation. */
  readonly nativePlatform: string;
  /** Gives the engine back; an embedded one stops when nobody uses it. */
  release(): Promise<void>;
}

/** An engine that is chosen but perhaps not running yet. */
export interface EngineHandle {
  readonly kind: "docker" | "embedded";
  /** Known before the engine runs, so that a build key can be had without it. */
  readonly builderVersion: string;
  /** Starts it where need be. Each acquisition is to be released. */
  acquire(signal?: AbortSignal): Promise<Engine>;
}

/** What choosing and starting an engine needs. */
export interface EngineContext {
  readonly emit: Emit;
  readonly unpack: (set: ToolSet) => Promise<UnpackedTools>;
}
