import { infrastructureError } from "../errors.ts";
import { run } from "../process/run.ts";
import type { Engine, EngineHandle } from "./types.ts";

interface DockerInfo {
  readonly ServerVersion?: string;
  readonly DriverStatus?: readonly (readonly string[])[] | null;
  readonly OSType?: string;
  readonly Architecture?: string;
  readonly ClientInfo?: {
    readonly Plugins?: readonly { readonly Name: string; readonly Path: string; readonly Version?: string }[];
  };
}

/** What `docker buildx inspect` says of a builder. */
export interface BuilderDescription {
  readonly driver: string;
  readonly version: string | undefined;
  readonly platforms: readonly string[];
  readonly nodes: number;
}

/** The machine's Docker as it was found; problems are sentences with what to do. */
export interface DockerProbe {
  readonly serverVersion: string | undefined;
  readonly buildxPath: string | undefined;
  readonly builder: BuilderDescription | undefined;
  readonly containerdImageStore: boolean;
  readonly nativePlatform: string;
}

/** The platform a Docker engine of this machine architecture runs natively (uname -m names and Docker's). */
export function nativePlatformOf(machine: string): string {
  const architectures: Readonly<Record<string, string>> = {
    x86_64: "amd64",
    aarch64: "arm64",
    armv7l: "arm/v7",
    loongarch64: "loong64",
  };
  return `linux/${architectures[machine] ?? machine}`;
}

/** Asks a Docker engine what it is; `serverVersion` is undefined when none answers. */
export async function probeDocker(
  docker: string,
  env: Readonly<Record<string, string | undefined>>,
  builder?: string,
): Promise<DockerProbe> {
  const none: DockerProbe = {
    serverVersion: undefined,
    buildxPath: undefined,
    builder: undefined,
    containerdImageStore: false,
    nativePlatform: "",
  };
  const asked = await run({ file: docker, args: ["info", "--format", "{{json .}}"], env, timeoutSeconds: 30 }).catch(
    () => undefined,
  );
  const info = asked?.exitCode === 0 ? parseInfo(asked.stdout) : undefined;
  if (!info?.ServerVersion) return none;
  const buildxPath = info.ClientInfo?.Plugins?.find((plugin) => plugin.Name === "buildx")?.Path;
  return {
    serverVersion: info.ServerVersion,
    buildxPath,
    builder: buildxPath === undefined ? undefined : await inspectBuilder(buildxPath, env, builder),
    containerdImageStore: (info.DriverStatus ?? []).some((pair) =>
      pair.join(" ").includes("io.containerd.snapshotter"),
    ),
    nativePlatform: nativePlatformOf(info.Architecture ?? ""),
  };
}

function parseInfo(text: string): DockerInfo | undefined {
  try {
    return JSON.parse(text) as DockerInfo;
  } catch {
    return undefined;
  }
}

/** Asks buildx about a builder (the current one when none is named). */
export async function inspectBuilder(
  buildxPath: string,
  env: Readonly<Record<string, string | undefined>>,
  builder?: string,
): Promise<BuilderDescription | undefined> {
  const args = ["inspect", ...(builder === undefined ? [] : [builder])];
  const result = await run({ file: buildxPath, args, env, timeoutSeconds: 30 }).catch(() => undefined);
  if (result?.exitCode !== 0) return undefined;
  return parseBuilder(result.stdout);
}

/** Reads the text that `docker buildx inspect` prints. */
export function parseBuilder(text: string): BuilderDescription {
  const values = (name: string): string[] =>
    [...text.matchAll(new RegExp(`^${name}:\\s*(.+)$`, "gm"))].map((found) => found[1]?.trim() ?? "");
  const version = values("BuildKit version")[0];
  return {
    driver: values("Driver")[0] ?? "",
    // distributions build BuildKit without its version
    version: version === undefined || version.startsWith("v0.0.0") ? undefined : version,
    platforms: [
      ...new Set(values("Platforms").flatMap((list) => list.split(",").map((name) => name.trim().replace(/\*$/, "")))),
    ],
    nodes: values("Endpoint").length,
  };
}

/** What builds, as it goes into build keys. */
export function builderVersionOf(builder: BuilderDescription, serverVersion: string): string {
  return builder.version === undefined ? `docker ${serverVersion}` : `buildkit ${builder.version}`;
}

/** Sentences on what keeps a Docker engine from being used; empty when it can. */
export function problemsOf(probe: DockerProbe): string[] {
  const problems: string[] = [];
  if (probe.buildxPath === undefined)
    problems.push("the buildx plugin is missing: install docker-buildx 0.13 or later");
  else if (!probe.builder)
    problems.push(
      "buildx has no usable builder: docker buildx ls shows what there is, docker buildx create --use makes one",
    );
  if (probe.builder?.driver === "docker" && !probe.containerdImageStore) {
    problems.push(
      'this Docker keeps images in its old image store, which cannot export OCI layouts: set {"features": {"containerd-snapshotter": true}} in /etc/docker/daemon.json and restart it, or use another builder: docker buildx create --use',
    );
  }
  if ((probe.builder?.nodes ?? 0) > 1)
    problems.push(
      "the builder has several nodes, and OCI layouts are exported from one: choose another with REFOUNDRY_BUILDER",
    );
  return problems;
}

/** The machine's Docker as an engine. Throws an infrastructure error with everything that is missing. */
export function machineDocker(probe: DockerProbe, builder: string | undefined): EngineHandle {
  const problems = problemsOf(probe);
  const { buildxPath, serverVersion, builder: description } = probe;
  if (problems.length > 0 || buildxPath === undefined || serverVersion === undefined || !description) {
    throw infrastructureError(`this machine's Docker cannot be used:\n- ${problems.join("\n- ")}`, {
      hint: "refoundry doctor checks all of this again",
    });
  }
  const builderVersion = builderVersionOf(description, serverVersion);
  const engine: Engine = {
    kind: "docker",
    docker: "docker",
    buildx: { file: buildxPath, args: [] },
    env: builder === undefined ? {} : { BUILDX_BUILDER: builder },
    builderVersion,
    platforms: description.platforms,
    nativePlatform: probe.nativePlatform,
    release: async () => {},
  };
  return { kind: "docker", builderVersion, acquire: async () => engine };
}
