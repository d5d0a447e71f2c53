import { availableParallelism, homedir } from "node:os";
import { delimiter, isAbsolute, join, resolve } from "node:path";
import { usageError } from "./errors.ts";
import type { Stage } from "./events.ts";

/** What the environment decides; read once, passed on as a value. */
export interface Settings {
  /** Cache folder: the embedded engine, tools, a Node of our own. */
  readonly cache: string;
  /** The store (an OCI layout). */
  readonly store: string;
  /** Which engine to use; `auto` is the machine's Docker if it answers, else the embedded one. */
  readonly engine: "auto" | "docker" | "embedded";
  /** Folder of the embedded engine's daemon: data root, socket, log. */
  readonly engineRoot: string;
  /** buildx builder to use on the machine's Docker; the default builder when absent. */
  readonly builder: string | undefined;
  /** Root of a Debian mirror (`https://HOST/debian`); the machine's apt sources when absent. */
  readonly debianMirror: string | undefined;
  /** Root of a snapshot service (`https://HOST`), asked last for files of the Debian archive. */
  readonly debianSnapshot: string | undefined;
  /** Root of Software Heritage's site (`https://HOST`), asked last for commits. */
  readonly softwareHeritage: string | undefined;
  /** How many builds run at once. */
  readonly jobs: number;
  /** Bytes of memory that are set aside for each build. */
  readonly jobMemory: number;
  /** Seconds that each stage of a release may take in a nightly. */
  readonly stageTimeouts: Readonly<Record<Stage, number>>;
  /** What signs when no `--key` is given. */
  readonly key: string | undefined;
  /** Files with public keys of other builders whose staged builds are taken over. */
  readonly trustedKeys: readonly string[];
  /** Repository (`HOST/NAME`) where builds are kept under their build keys, for any machine to go on. */
  readonly staging: string | undefined;
  /** Repository (`HOST/NAME` or `oci:PATH`) where everything that releases stand on is kept. */
  readonly escrow: string | undefined;
  /** Who builds, as attestations name it: a URI. */
  readonly builderId: string;
}

/**
 * Reads the settings from environment variables: `REFOUNDRY_CACHE`, `REFOUNDRY_STORE`,
 * `REFOUNDRY_ENGINE`, `REFOUNDRY_ENGINE_ROOT`, `REFOUNDRY_BUILDER`,
 * `REFOUNDRY_DEBIAN_MIRROR`, `REFOUNDRY_DEBIAN_SNAPSHOT`, `REFOUNDRY_SOFTWARE_HERITAGE`, `REFOUNDRY_JOBS`, `REFOUNDRY_JOB_MEMORY`,
 * `REFOUNDRY_STAGE_TIMEOUT`, `REFOUNDRY_KEY`, `REFOUNDRY_TRUSTED_KEYS`,
 * `REFOUNDRY_STAGING`, `REFOUNDRY_ESCROW`, `REFOUNDRY_BUILDER_ID`, `XDG_CACHE_HOME`.
 * Throws a usage error that names the variable with a value that cannot be used.
 */
export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const text = (name: string): string | undefined => env[name] || undefined;
  const folder = (name: string): string | undefined => {
    const value = text(name);
    return value === undefined ? undefined : resolve(value);
  };
  // the XDG base directory specification says a relative path is to be ignored
  const xdg = text("XDG_CACHE_HOME");
  const userCache = xdg !== undefined && isAbsolute(xdg) ? xdg : join(homedir(), ".cache");
  const cache = folder("REFOUNDRY_CACHE") ?? join(userCache, "refoundry");
  return {
    cache,
    store: folder("REFOUNDRY_STORE") ?? join(cache, "store"),
    engine: readEngine(text("REFOUNDRY_ENGINE")),
    engineRoot: folder("REFOUNDRY_ENGINE_ROOT") ?? join(cache, "engine"),
    builder: text("REFOUNDRY_BUILDER"),
    debianMirror: readAddress("REFOUNDRY_DEBIAN_MIRROR", text("REFOUNDRY_DEBIAN_MIRROR")),
    debianSnapshot: readAddress("REFOUNDRY_DEBIAN_SNAPSHOT", text("REFOUNDRY_DEBIAN_SNAPSHOT")),
    softwareHeritage: readAddress("REFOUNDRY_SOFTWARE_HERITAGE", text("REFOUNDRY_SOFTWARE_HERITAGE")),
    jobs: readJobs(text("REFOUNDRY_JOBS")),
    jobMemory: readJobMemory(text("REFOUNDRY_JOB_MEMORY")),
    stageTimeouts: readStageTimeouts(text("REFOUNDRY_STAGE_TIMEOUT")),
    key: text("REFOUNDRY_KEY"),
    trustedKeys: (text("REFOUNDRY_TRUSTED_KEYS") ?? "").split(delimiter).filter((path) => path !== ""),
    staging: text("REFOUNDRY_STAGING"),
    escrow: text("REFOUNDRY_ESCROW"),
    builderId: readBuilderId(text("REFOUNDRY_BUILDER_ID"), env),
  };
}

/** On GitHub a workflow names itself; elsewhere nobody vouches for who builds. */
function readBuilderId(value: string | undefined, env: Readonly<Record<string, string | undefined>>): string {
  const { GITHUB_SERVER_URL: server, GITHUB_WORKFLOW_REF: workflow } = env;
  const id = value ?? (server && workflow ? `${server}/${workflow}` : "https://refoundry.dev/builders/unnamed");
  if (URL.canParse(id)) return id;
  throw usageError(`REFOUNDRY_BUILDER_ID is "${id}", which is no URI`, { hint: "as in https://ci.example/refoundry" });
}

function readEngine(value: string | undefined): Settings["engine"] {
  if (value === undefined) return "auto";
  if (value === "auto" || value === "docker" || value === "embedded") return value;
  throw usageError(`REFOUNDRY_ENGINE is "${value}"`, { hint: "set it to docker or embedded, or leave it out" });
}

function readAddress(name: string, value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const url = URL.parse(value);
  if (url && (url.protocol === "https:" || url.protocol === "http:")) return value.replace(/\/+$/, "");
  throw usageError(`${name} is "${value}", which is not an http or https address`);
}

function readJobs(value: string | undefined): number {
  if (value === undefined) return availableParallelism();
  if (/^[1-9][0-9]{0,2}$/.test(value)) return Number(value);
  throw usageError(`REFOUNDRY_JOBS is "${value}"`, { hint: "set it to a number of builds from 1 to 999" });
}

function readJobMemory(value: string | undefined): number {
  if (value === undefined) return 2 * 1024 ** 3;
  const [, number = "", unit = ""] = /^([1-9][0-9]{0,6})(M|G)$/.exec(value) ?? [];
  if (unit !== "") return Number(number) * 1024 ** (unit === "G" ? 3 : 2);
  throw usageError(`REFOUNDRY_JOB_MEMORY is "${value}"`, { hint: "set it to what one build needs, as in 512M or 4G" });
}

const hour = 3600;
const stageTimeouts: Settings["stageTimeouts"] = {
  setup: hour,
  engine: hour,
  source: hour,
  toolchain: hour,
  // an upstream that is put together from packages may lie on an image that is built first
  upstream: 6 * hour,
  build: 6 * hour,
  normalise: hour,
  compare: hour,
  smoke: hour,
  publish: hour,
  attest: hour,
  escrow: 6 * hour,
  report: hour,
};

/** `900`: so long for every stage; `build=7200,source=600`: for those. */
function readStageTimeouts(value: string | undefined): Settings["stageTimeouts"] {
  const read: Record<Stage, number> = { ...stageTimeouts };
  const stages = Object.keys(stageTimeouts) as Stage[];
  for (const part of value?.split(",") ?? []) {
    const [, name, seconds] = /^(?:([a-z]+)=)?([1-9][0-9]{0,6})$/.exec(part.trim()) ?? [];
    const named = name === undefined ? stages : stages.filter((stage) => stage === name);
    if (seconds === undefined || named.length === 0)
      throw usageError(`REFOUNDRY_STAGE_TIMEOUT is "${value}"`, {
        hint: `set it to seconds for every stage, as in 3600, or for some, as in build=7200,source=600; stages are ${stages.join(", ")}`,
      });
    for (const stage of named) read[stage] = Number(seconds);
  }
  return read;
}
