import { canonicalJson } from "../json.ts";
import type { Json, JsonObject } from "../oci/types.ts";
import type { Difference } from "./types.ts";

/** Top-level fields of a config that say when and how it was built, not what runs. */
const topLevelClasses: Readonly<Record<string, string>> = {
  created: "config-created",
  history: "config-history",
  author: "config-author",
  container: "config-legacy",
  container_config: "config-legacy",
  docker_version: "config-legacy",
  id: "config-legacy",
  parent: "config-legacy",
};
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
  for (const key of unionOfKeys(left, right)) {
    // diffIDs are what the levels `layers` and below are about
    if (key === "rootfs" || key === "config") continue;
    if (same(left[key], right[key])) continue;
    const name = topLevelClasses[key];
    if (name !== undefined) add(name, key, "benign", "config", describe(left[key], right[key]));
    else if (platformFields.has(key))
      add("config-platform", key, "unexplained", "runtime-config", describe(left[key], right[key]));
    else add("runtime-config", key, "unexplained", "runtime-config", describe(left[key], right[key]));
  }
  if (!same(withoutDiffIds(left["rootfs"]), withoutDiffIds(right["rootfs"]))) {
    add("runtime-config", "rootfs", "unexplained", "runtime-config", describe(left["rootfs"], right["rootfs"]));
  }
  const [a, b] = [objectOf(left["config"]), objectOf(right["config"])];
  for (const key of unionOfKeys(a, b)) {
    if (same(settled(key, a[key]), settled(key, b[key]))) continue;
    const shown = `config.${key}`;
    if (key === "ArgsEscaped" && left["os"] !== "windows")
      add("config-args-escaped", shown, "benign", "config", describe(a[key], b[key]));
    else if (legacyFields.has(key) && isLegacyValue(a[key]) && isLegacyValue(b[key]))
      add("config-legacy", shown, "benign", "config", describe(a[key], b[key]));
    else if (key === "Env" && sameEnvironment(a[key], b[key]))
      add("config-env-order", shown, "benign", "config", "the same variables in another order");
    else add("runtime-config", shown, "unexplained", "runtime-config", describe(a[key], b[key]));
  }
  return differences.toSorted((x, y) => order(x).localeCompare(order(y), "en"));
}

function order(difference: Difference): string {
  return `${difference.class} ${difference.paths[0]}`;
}

function unionOfKeys(a: JsonObject, b: JsonObject): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].toSorted();
}

function objectOf(value: Json | undefined): JsonObject {
  return value !== null && typeof value === "object" && !Array.isArray(value) ? (value as JsonObject) : {};
}

function withoutDiffIds(value: Json | undefined): Json {
  const { diff_ids: _, ...rest } = objectOf(value);
  return rest;
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
