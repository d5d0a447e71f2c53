import type { JsonObject } from "../oci/types.ts";
import type { RuntimeConfig } from "./types.ts";

const maxItems = 200;
const maxLength = 4096;
/** What a config may say besides, and that says nothing of how it runs, or what Docker's builder left in it. */
const unimportant = new Set(["Hostname", "Domainname", "Image", "AttachStdin", "AttachStdout", "AttachStderr", "Tty"]);
const known = new Set(
  "Entrypoint Cmd Env User WorkingDir ExposedPorts Volumes StopSignal Labels ArgsEscaped OpenStdin StdinOnce".split(
    " ",
  ),
);

/** Reads what a config says of how its image runs; what is malformed, too much or too long is told in `left`. */
export function readRuntimeConfig(document: JsonObject): RuntimeConfig {
  const config = objectOf(document["config"]);
  const left: string[] = [];
  const text = (field: string): string => {
    const value = config[field];
    if (value === undefined || value === null || value === "") return "";
    if (typeof value === "string" && value.length <= maxLength) return value;
    left.push(field);
    return "";
  };
  const bounded = (field: string, values: readonly unknown[]): string[] => {
    const good = values
      .slice(0, maxItems)
      .filter((value): value is string => typeof value === "string" && value.length <= maxLength);
    if (good.length < values.length) left.push(field);
    return good;
  };
  const list = (field: string): string[] => {
    const value = config[field];
    if (value === undefined || value === null) return [];
    if (Array.isArray(value)) return bounded(field, value);
    left.push(field);
    return [];
  };
  const keys = (field: string): string[] => bounded(field, Object.keys(objectOf(config[field])).toSorted());
  const labels = objectOf(config["Labels"]);
  const read: Omit<RuntimeConfig, "left"> = {
    entrypoint: list("Entrypoint"),
    cmd: list("Cmd"),
    env: list("Env").map((pair) => {
      const at = pair.indexOf("=");
      return at < 0 ? [pair, ""] : [pair.slice(0, at), pair.slice(at + 1)];
    }),
    user: text("User"),
    workingDir: text("WorkingDir"),
    ports: keys("ExposedPorts"),
    volumes: keys("Volumes"),
    stopSignal: text("StopSignal"),
    labels: keys("Labels").flatMap((name) => {
      const value = labels[name];
      if (typeof value === "string" && value.length <= maxLength) return [[name, value] as const];
      left.push("Labels");
      return [];
    }),
  };
  for (const [field, value] of Object.entries(config)) {
    if (known.has(field) || unimportant.has(field) || left.length > maxItems) continue;
    const isEmpty = value === null || value === "" || value === false || (Array.isArray(value) && value.length === 0);
    if (!isEmpty) left.push(field.slice(0, 64));
  }
  return { ...read, left: [...new Set(left)] };
}

/** A label's value; `org.opencontainers.image.` may be left out. */
export function labelOf({ labels }: RuntimeConfig, name: string): string | undefined {
  const wanted = [`org.opencontainers.image.${name}`, `org.label-schema.${legacyNames[name] ?? name}`];
  for (const key of wanted) {
    const value = labels.find(([label]) => label === key)?.[1].trim();
    if (value !== undefined && value !== "") return value;
  }
  return undefined;
}

const legacyNames: Readonly<Record<string, string>> = { source: "vcs-url", revision: "vcs-ref", licenses: "license" };

function objectOf(value: unknown): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}
