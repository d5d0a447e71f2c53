import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import type { UnpackedTools } from "../debian/unpack-tools.ts";
import { infrastructureError } from "../errors.ts";
import { runStage } from "../events.ts";
import { isProcessAlive, processIdentity } from "../process/identity.ts";
import { withLock } from "../process/lock.ts";
import { type DaemonPaths, type EmbeddedOptions, pathsOf, runningDaemon, startDaemon, stopDaemon } from "./daemon.ts";
import { inspectBuilder, nativePlatformOf } from "./machine-docker.ts";
import { buildxPlugin, emulationTools, engineTools } from "./tools.ts";
import type { Engine, EngineContext, EngineHandle } from "./types.ts";

/** An engine of our own, unpacked from Debian packages and run from the cache folder. Needs root. */
export async function embeddedEngine(options: EmbeddedOptions, context: EngineContext): Promise<EngineHandle> {
  if (process.platform !== "linux" || process.getuid?.() !== 0) {
    throw infrastructureError("no Docker engine answers, and the embedded one needs Linux and root", {
      hint: "install Docker with buildx and start it (then docker info must work), or run this as root",
    });
  }
  const tools = await context.unpack(engineTools);
  const builderVersion = `docker.io ${tools.versions["docker.io"] ?? "unknown"}`;
  return {
    kind: "embedded",
    builderVersion,
    acquire: (signal) => acquire(options, context, tools, builderVersion, signal),
  };
}

async function acquire(
  options: EmbeddedOptions,
  context: EngineContext,
  tools: UnpackedTools,
  builderVersion: string,
  signal?: AbortSignal,
): Promise<Engine> {
  const paths = pathsOf(options.root);
  const env = clientEnvironment(options.root, tools.root);
  // one process may hold the engine several times over: a build, and that of what it stands on
  const lease = join(paths.leases, `${await processIdentity()}-${randomUUID()}`);
  await withLock(
    paths.lock,
    async () => {
      await mkdir(paths.leases, { recursive: true });
      await writeFile(lease, "");
      if (await runningDaemon(paths)) return;
      await runStage(context.emit, { stage: "engine", title: "starting the embedded engine" }, async () => {
        const qemu = await context.unpack(emulationTools);
        await startDaemon(options, paths, tools, qemu, env, signal);
        return { value: undefined, detail: `${builderVersion}, network ${options.network}` };
      });
    },
    { ...(signal && { signal }) },
  );
  const buildx = join(tools.root, buildxPlugin);
  const builder = await inspectBuilder(buildx, env);
  return {
    kind: "embedded",
    docker: join(tools.root, "usr/bin/docker"),
    buildx: { file: buildx, args: [] },
    env,
    builderVersion,
    platforms: builder?.platforms ?? [],
    nativePlatform: nativePlatformOf(process.arch === "x64" ? "x86_64" : process.arch),
    async release() {
      await withLock(paths.lock, async () => {
        await rm(lease, { force: true });
        if (existsSync(paths.pinned) || (await liveLeases(paths)).length > 0) return;
        await stopDaemon(paths);
      });
    },
  };
}

/** Keeps an embedded engine running until {@link stopEmbeddedEngine}. */
export async function pinEmbeddedEngine(root: string): Promise<void> {
  await mkdir(root, { recursive: true });
  await writeFile(pathsOf(root).pinned, "");
}

/** Stops an embedded engine, whoever uses it. Says whether one ran. */
export async function stopEmbeddedEngine(root: string): Promise<boolean> {
  const paths = pathsOf(root);
  return withLock(paths.lock, async () => {
    await rm(paths.pinned, { force: true });
    const ran = (await runningDaemon(paths)) !== undefined;
    await stopDaemon(paths);
    return ran;
  });
}

/** How an embedded engine is now. */
export async function embeddedStatus(
  root: string,
): Promise<{ readonly running: boolean; readonly socket: string; readonly users: number }> {
  const paths = pathsOf(root);
  return {
    running: (await runningDaemon(paths)) !== undefined,
    socket: paths.socket,
    users: (await liveLeases(paths)).length,
  };
}

function clientEnvironment(root: string, toolsRoot: string): Record<string, string | undefined> {
  return {
    DOCKER_HOST: `unix://${pathsOf(root).socket}`,
    DOCKER_CONFIG: join(root, "client"),
    DOCKER_CONTEXT: undefined,
    BUILDX_BUILDER: undefined,
    BUILDX_CONFIG: undefined,
    PATH: [join(toolsRoot, "usr/bin"), join(toolsRoot, "usr/sbin"), process.env["PATH"] ?? ""].join(delimiter),
  };
}

async function liveLeases(paths: DaemonPaths): Promise<string[]> {
  const live: string[] = [];
  for (const name of await readdir(paths.leases).catch(() => [])) {
    if (await isProcessAlive(name)) live.push(name);
    else await rm(join(paths.leases, name), { force: true });
  }
  return live;
}
