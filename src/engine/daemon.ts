import { createHash } from "node:crypto";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { UnpackedTools } from "../debian/unpack-tools.ts";
import { errorCode, infrastructureError, interrupted } from "../errors.ts";
import { isProcessAlive, processIdentity } from "../process/identity.ts";
import { lastLines, run } from "../process/run.ts";
import { registerEmulators, unregisterEmulators } from "./emulation.ts";

/** How an embedded engine stands to the network. */
export interface EmbeddedOptions {
  /** Folder of the daemon: data root, log, leases. */
  readonly root: string;
  /**
   * `isolated` (the default use): a network namespace of its own, so that nothing built
   * can reach anything. `host`: the machine's network, for tests that pull and push.
   */
  readonly network: "isolated" | "host";
}

interface DaemonState {
  readonly identity: string;
  readonly emulation: { readonly mounted: boolean };
}

/** Where an embedded engine keeps its things. */
export interface DaemonPaths {
  readonly run: string;
  readonly socket: string;
  readonly state: string;
  readonly log: string;
  readonly leases: string;
  readonly pinned: string;
  readonly lock: string;
}

const startSeconds = 60;
const emulationUsers = "/run/refoundry-emulation";

/** Socket paths are short (108 bytes, unix(7)), so they are not under the root. */
export function pathsOf(root: string): DaemonPaths {
  const run = `/run/refoundry-${createHash("sha256").update(root).digest("hex").slice(0, 12)}`;
  return {
    run,
    socket: join(run, "docker.sock"),
    state: join(root, "state.json"),
    log: join(root, "dockerd.log"),
    leases: join(root, "leases"),
    pinned: join(root, "pinned"),
    lock: join(root, "lock"),
  };
}

/** The daemon that runs now, if it does. */
export async function runningDaemon(paths: DaemonPaths): Promise<DaemonState | undefined> {
  const text = await readFile(paths.state, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const state = parseState(text);
  return state && (await isProcessAlive(state.identity)) ? state : undefined;
}

/** A state file that was cut off half-way counts as none. */
function parseState(text: string): DaemonState | undefined {
  try {
    return JSON.parse(text) as DaemonState;
  } catch {
    return undefined;
  }
}

/** Starts dockerd and waits until it answers; what an earlier one left goes first. */
export async function startDaemon(
  options: EmbeddedOptions,
  paths: DaemonPaths,
  tools: UnpackedTools,
  qemu: UnpackedTools,
  env: Record<string, string | undefined>,
  signal?: AbortSignal,
): Promise<void> {
  await stopDaemon(paths);
  // the daemon looks for emulators once, when it starts
  const emulation = await registerEmulators(qemu.root, signal);
  await mkdir(emulationUsers, { recursive: true });
  await writeFile(join(emulationUsers, emulationUser(paths)), "");
  await mkdir(join(paths.run, "exec"), { recursive: true });
  await mkdir(join(options.root, "client"), { recursive: true });
  const configuration = join(options.root, "daemon.json");
  await writeFile(configuration, JSON.stringify(daemonConfiguration, null, 2));
  const daemon = [
    join(tools.root, "usr/sbin/dockerd"),
    ...[
      "--config-file",
      configuration,
      "--data-root",
      join(options.root, "data"),
      "--exec-root",
      join(paths.run, "exec"),
    ],
    ...["--pidfile", join(paths.run, "docker.pid"), "--host", `unix://${paths.socket}`],
    ...["--bridge=none", "--iptables=false", "--ip6tables=false"],
  ];
  const [file = "", ...args] = options.network === "isolated" ? ["/usr/bin/unshare", "--net", "--", ...daemon] : daemon;
  const log = await open(paths.log, "w");
  // it outlives the command that starts it while others use it: execa would end it with us
  const child = spawn(file, args, {
    detached: true,
    stdio: ["ignore", log.fd, log.fd],
    env: { ...process.env, ...env },
  });
  child.unref();
  await log.close();
  if (child.pid === undefined) throw infrastructureError(`${file} could not be started`);
  const identity = await processIdentity(child.pid);
  await writeFile(paths.state, JSON.stringify({ identity, emulation } satisfies DaemonState));
  await waitForDaemon(paths, identity, join(tools.root, "usr/bin/docker"), env, signal);
}

async function waitForDaemon(
  paths: DaemonPaths,
  identity: string,
  docker: string,
  env: Record<string, string | undefined>,
  signal?: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + startSeconds * 1000;
  while (performance.now() < deadline) {
    if (signal?.aborted) throw interrupted();
    if (!(await isProcessAlive(identity))) break;
    if (existsSync(paths.socket)) {
      const asked = await run({
        file: docker,
        args: ["version", "--format", "{{.Server.Version}}"],
        env,
        timeoutSeconds: 10,
      });
      if (asked.exitCode === 0) return;
    }
    await sleep(50);
  }
  const said = lastLines(await readFile(paths.log, "utf8").catch(() => ""), 10);
  await stopDaemon(paths);
  throw infrastructureError(`the embedded engine did not start; its log (${paths.log}) ends with:\n${said}`);
}

/** Stops the daemon, and undoes mounts, sockets and emulators that were for it. */
export async function stopDaemon(paths: DaemonPaths): Promise<void> {
  const state = await runningDaemon(paths);
  if (state) await endProcess(state);
  const text = await readFile(paths.state, "utf8").catch(() => undefined);
  await unmountBelow(paths.run);
  // containerd may still be on its way out
  await rm(paths.run, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  await rm(paths.state, { force: true });
  await rm(join(emulationUsers, emulationUser(paths)), { force: true });
  const others = await readdir(emulationUsers).catch(() => []);
  if (text === undefined || others.length > 0) return;
  await unregisterEmulators(parseState(text)?.emulation.mounted ?? false);
  await rm(emulationUsers, { recursive: true, force: true });
}

async function endProcess(state: DaemonState): Promise<void> {
  const pid = Number(state.identity.split(".")[0]);
  for (const [signalName, seconds] of [
    ["SIGTERM", 20],
    ["SIGKILL", 5],
  ] as const) {
    if (!(await isProcessAlive(state.identity))) return;
    try {
      process.kill(pid, signalName);
    } catch (error) {
      // it ended between the question and the signal
      if (errorCode(error) === "ESRCH") return;
      throw error;
    }
    const deadline = performance.now() + seconds * 1000;
    while (performance.now() < deadline && (await isProcessAlive(state.identity))) await sleep(20);
  }
}

async function unmountBelow(folder: string): Promise<void> {
  const mounts = await readFile("/proc/self/mounts", "utf8").catch(() => "");
  const below = mounts
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "")
    .filter((path) => path.startsWith(`${folder}/`))
    .toReversed();
  for (const path of below) await run({ file: "umount", args: ["--lazy", path] });
}

function emulationUser(paths: DaemonPaths): string {
  return paths.run.slice("/run/".length);
}

/** The containerd image store exports OCI layouts; the default cache cap is most of the disk. */
const daemonConfiguration = {
  features: { "containerd-snapshotter": true },
  builder: {
    gc: {
      enabled: true,
      policy: [{ all: true, maxUsedSpace: "20GB", reservedSpace: "5GB", minFreeSpace: "10GB" }],
    },
  },
};
