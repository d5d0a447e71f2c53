import { canonicalJson } from "../json.ts";
import type { Json, JsonObject } from "../oci/types.ts";
import type { Difference } from "./types.ts";

/** Top-level fields of a config that say when and how it was built, not what runs. */
const topLevelClasses: ReadonlyMap<string, string> = new Map([
  ["created", "config-created"],
  ["history", "config-history"],
  ["author", "config-author"],
  ["container", "config-legacy"],
  ["container_config", "config-legacy"],
  ["docker_version", "config-legacy"],
  ["id", "config-legacy"],
  ["parent", "config-legacy"],
]);
/** Fields inside `config` that the legacy builder left there and no runtime reads. */
const legacyFields = new Set([
  "Hostname",
  "Domainname",
  "Image",
  "AttachStdin",
  "AttachStdout",
  "AttachStderr",
  "Tty",
  "OpenStdin",
  "StdinOnce",
]);
/** Fields whose absence and whose emptiness mean the same (image-spec, config.md). */
const emptyMeansAbsent = new Set([
  "Env",
  "Cmd",
  "Entrypoint",
  "Volumes",
  "ExposedPorts",
  "Labels",
  "OnBuild",
  "User",
  "WorkingDir",
  "StopSignal",
  "Shell",
]);
const platformFields = new Set(["architecture", "os", "variant", "os.version", "os.features"]);

/**
 * Compares two parsed configs, unknown keys included. Differences of weight `benign` are
 * in classified fields; any other changes what runs, or may.
 */
export function compareConfigs(left: JsonObject, right: JsonObject): Difference[] {
  const differences: Difference[] = [];
  const add = (
    name: string,
    key: string,
    weight: Difference["weight"],
    scope: Difference["scope"],
    detail: string,
  ): void => {
    differences.push({ class: name, scope, count: 1, paths: [key], detail, weight });
  };
  for (const [key, a, b] of pairs(left, right)) {
    // diffIDs are what the levels `layers` and below are about
    if (key === "rootfs" || key === "config" || same(a, b)) continue;
    const name = topLevelClasses.get(key);
    if (name !== undefined) add(name, key, "benign", "config", describe(a, b));
    else if (key === "variant" && isImpliedVariant(left) && isImpliedVariant(right))
      add("config-platform", key, "benign", "config", describe(a, b));
    else if (platformFields.has(key)) add("config-platform", key, "unexplained", "runtime-config", describe(a, b));
    else add("runtime-config", key, "unexplained", "runtime-config", describe(a, b));
  }
  for (const key of ["rootfs", "config"]) {
    const [a, b] = [own(left, key), own(right, key)];
    if ((isNoObject(a) || isNoObject(b)) && !same(a, b))
      add("runtime-config", key, "unexplained", "runtime-config", describe(a, b));
  }
  for (const [key, a, b] of pairs(objectOf(own(left, "rootfs")), objectOf(own(right, "rootfs")))) {
    if (key !== "diff_ids" && !same(a, b))
      add("runtime-config", `rootfs.${key}`, "unexplained", "runtime-config", describe(a, b));
  }
  for (const [key, a, b] of pairs(objectOf(own(left, "config")), objectOf(own(right, "config")))) {
    if (same(a, b)) continue;
    const shown = `config.${key}`;
    if (same(settled(key, a), settled(key, b))) add("config-empty", shown, "benign", "config", describe(a, b));
    else if (key === "ArgsEscaped" && own(left, "os") !== "windows")
      add("config-args-escaped", shown, "benign", "config", describe(a, b));
    else if (legacyFields.has(key) && isLegacyValue(a) && isLegacyValue(b))
      add("config-legacy", shown, "benign", "config", describe(a, b));
    else if (key === "Env" && sameEnvironment(a, b))
      add("config-env-order", shown, "benign", "config", "the same variables in another order");
    else add("runtime-config", shown, "unexplained", "runtime-config", describe(a, b));
  }
  return differences.toSorted((x, y) => (order(x) < order(y) ? -1 : order(x) > order(y) ? 1 : 0));
}

function order(difference: Difference): string {
  return `${difference.class} ${difference.paths[0]}`;
}

/** Every key of the two with both values, by name. */
function pairs(a: JsonObject, b: JsonObject): [string, Json | undefined, Json | undefined][] {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].toSorted().map((key) => [key, own(a, key), own(b, key)]);
}

/** What the document itself says, and not what every object inherits. */
function own(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function isNoObject(value: Json | undefined): boolean {
  return value !== undefined && value !== null && (typeof value !== "object" || Array.isArray(value));
}

/** arm64 is v8 when it does not say (containerd, platforms.Normalize). */
function isImpliedVariant(config: JsonObject): boolean {
  const variant = own(config, "variant") ?? "";
  return own(config, "architecture") === "arm64" && (variant === "" || variant === "v8");
}

function objectOf(value: Json | undefined): JsonObject {
  return value !== null && typeof value === "object" && !Array.isArray(value) ? (value as JsonObject) : {};
}

function same(a: Json | undefined, b: Json | undefined): boolean {
  return canonicalJson(a ?? null) === canonicalJson(b ?? null);
}

function settled(key: string, value: Json | undefined): Json {
  if (value === undefined || value === null) return null;
  const isEmpty = value === "" || (typeof value === "object" && Object.keys(value).length === 0);
  return isEmpty && emptyMeansAbsent.has(key) ? null : value;
}

/** The legacy builder wrote a host name, an image id, and switches that are off. */
function isLegacyValue(value: Json | undefined): boolean {
  return value === undefined || value === null || value === false || typeof value === "string";
}

/** Whether two environments set the same variables, each once. */
function sameEnvironment(a: Json | undefined, b: Json | undefined): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return false;
  const names = (list: readonly Json[]): string[] => list.map((item) => String(item).split("=")[0] ?? "");
  const once = (list: readonly Json[]): boolean => new Set(names(list)).size === list.length;
  return once(a) && once(b) && same([...a].map(String).toSorted(), [...b].map(String).toSorted());
}

function describe(a: Json | undefined, b: Json | undefined): string {
  return `${short(a)} and ${short(b)}`;
}

function short(value: Json | undefined): string {
  const text = value === undefined ? "absent" : JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}
