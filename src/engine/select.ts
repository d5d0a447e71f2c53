import { infrastructureError } from "../errors.ts";
import type { Settings } from "../settings.ts";
import { embeddedEngine } from "./embedded.ts";
import { machineDocker, probeDocker } from "./machine-docker.ts";
import type { EngineContext, EngineHandle } from "./types.ts";

/**
 * Chooses the engine: the machine's Docker when it answers, else the embedded one.
 * Throws an infrastructure error that says what is missing where neither will do.
 */
export async function selectEngine(settings: Settings, context: EngineContext): Promise<EngineHandle> {
  if (settings.engine !== "embedded") {
    const env = settings.builder === undefined ? {} : { BUILDX_BUILDER: settings.builder };
    const probe = await probeDocker("docker", env, settings.builder);
    if (probe.serverVersion !== undefined) return machineDocker(probe, settings.builder);
    if (settings.engine === "docker") {
      throw infrastructureError("REFOUNDRY_ENGINE is docker, and no Docker engine answers", {
        hint: "start Docker (docker info must work), or leave REFOUNDRY_ENGINE out to use the embedded engine",
      });
    }
  }
  return embeddedEngine({ root: settings.engineRoot, network: "isolated" }, context);
}
