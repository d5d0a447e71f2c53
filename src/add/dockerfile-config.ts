import { splitDockerfile } from "../recipe/dockerfile-lines.ts";
import { shortList, shown } from "./text.ts";
import type { RuntimeConfig } from "./types.ts";

/** Instructions for the last stage, and the fields of the config that none could be written for. */
export interface ConfigLines {
  readonly lines: readonly string[];
  readonly left: readonly string[];
}

/** BuildKit gives it to every image that is made from scratch. */
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const plain = /^[A-Za-z0-9._:/@+-]+$/;
const environmentName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Writes a config as Dockerfile instructions. What cannot be written so that BuildKit reads
 * just that (line ends, unseen characters, names with spaces) is left, never bent.
 */
export function configLines(config: RuntimeConfig): ConfigLines {
  const lines: string[] = [];
  const left: string[] = [...config.left];
  const add = (field: string, line: string | undefined): void => {
    if (line !== undefined && readsBack(line)) lines.push(line);
    else left.push(field);
  };
  if (config.env.every(([name]) => name !== "PATH")) left.push("Env without PATH");
  for (const [name, value] of config.env) {
    if (name === "PATH" && value === defaultPath) continue;
    add(`Env ${shown(name, 40)}`, environmentName.test(name) ? `ENV ${name}=${quote(value)}` : undefined);
  }
  for (const [name, value] of config.labels)
    add(`Labels ${shown(name, 60)}`, name === "" ? undefined : `LABEL ${quote(name)}=${quote(value)}`);
  const word = (field: string, instruction: string, value: string): void =>
    add(field, plain.test(value) ? `${instruction} ${value}` : undefined);
  for (const port of config.ports) word("ExposedPorts", "EXPOSE", port);
  for (const volume of config.volumes) word("Volumes", "VOLUME", volume);
  if (config.stopSignal !== "") word("StopSignal", "STOPSIGNAL", config.stopSignal);
  if (config.workingDir !== "" && config.workingDir !== "/") word("WorkingDir", "WORKDIR", config.workingDir);
  if (config.user !== "") word("User", "USER", config.user);
  if (config.entrypoint.length > 0) add("Entrypoint", `ENTRYPOINT ${exec(config.entrypoint)}`);
  if (config.cmd.length > 0) add("Cmd", `CMD ${exec(config.cmd)}`);
  return { lines, left: [...new Set(left)] };
}

/** What was left of a config, as a sentence; undefined where it is nothing. */
export function leftSentence(left: readonly string[]): string | undefined {
  if (left.length === 0) return undefined;
  return `upstream's config has what no line here says: ${shortList(left, 12)}`;
}

/** A word in double quotes, in which BuildKit expands nothing. */
function quote(value: string): string {
  return `"${value.replace(/["\\$]/g, "\\$&")}"`;
}

/** The exec form: JSON, in which nothing is expanded; unseen characters as escapes. */
function exec(words: readonly string[]): string {
  const text = `[${words.map((word) => JSON.stringify(word)).join(", ")}]`;
  return text.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function readsBack(line: string): boolean {
  if (/[\n\r]/.test(line)) return false;
  const { instructions, problems } = splitDockerfile(`FROM scratch\n${line}\n`, "Dockerfile");
  return problems.length === 0 && instructions.length === 2;
}
