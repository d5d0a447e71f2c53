import { canonicalJson } from "../json.ts";
import type { Json, JsonObject } from "../oci/types.ts";
import { isObject, own } from "./classes/config/config-class.ts";
import { configClasses } from "./classes/config/family.ts";
import type { Difference } from "./types.ts";

const platformFields = new Set(["architecture", "os", "variant", "os.version", "os.features"]);

/**
 * Compares two parsed configs, unknown keys included. A class settles the fields that
 * differ before it normalised both sides and are the same after. What no class settles
 * changes what runs, or may.
 */
export function compareConfigs(left: JsonObject, right: JsonObject): Difference[] {
  const differences: Difference[] = [];
  let [a, b] = [left, right];
  for (const found of configClasses) {
    const before = differingFields(a, b);
    if (before.length === 0) break;
    [a, b] = [found.normalise(a), found.normalise(b)];
    const after = new Set(differingFields(a, b));
    for (const field of before.filter((name) => !after.has(name))) {
      const detail = describe(valueOf(left, field), valueOf(right, field));
      differences.push({
        class: found.name,
        scope: "config",
        count: 1,
        paths: [field],
        detail,
        weight: "benign",
        proof: "normalised-equal",
      });
    }
  }
  for (const field of differingFields(a, b)) {
    const detail = describe(valueOf(left, field), valueOf(right, field));
    const name = platformFields.has(field) ? "config-platform" : "runtime-config";
    differences.push({ class: name, scope: "runtime-config", count: 1, paths: [field], detail, weight: "unexplained" });
  }
  return differences.toSorted((x, y) => (order(x) < order(y) ? -1 : order(x) > order(y) ? 1 : 0));
}

function order(difference: Difference): string {
  return `${difference.class} ${difference.paths[0]}`;
}

/** Objects whose keys are fields of their own. */
const divided = ["config", "rootfs"] as const;

/** The fields in which two configs differ: `created`, `config.Env`; but not the diffIDs, which the levels are about. */
function differingFields(a: JsonObject, b: JsonObject): string[] {
  const fields = differingKeys(a, b).filter((key) => !divided.some((name) => name === key));
  for (const name of divided) {
    const [x, y] = [own(a, name), own(b, name)];
    if ((isNoObject(x) || isNoObject(y)) && !same(x, y)) fields.push(name);
    else
      fields.push(
        ...differingKeys(objectOf(x), objectOf(y))
          .map((key) => `${name}.${key}`)
          .filter((field) => field !== "rootfs.diff_ids"),
      );
  }
  return fields;
}

function differingKeys(a: JsonObject, b: JsonObject): string[] {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].toSorted().filter((key) => !same(own(a, key), own(b, key)));
}

function valueOf(config: JsonObject, field: string): Json | undefined {
  const outer = divided.find((name) => field.startsWith(`${name}.`));
  return outer === undefined ? own(config, field) : own(objectOf(own(config, outer)), field.slice(outer.length + 1));
}

function isNoObject(value: Json | undefined): boolean {
  return value !== undefined && value !== null && !isObject(value);
}

function objectOf(value: Json | undefined): JsonObject {
  return value !== undefined && isObject(value) ? value : {};
}

function same(a: Json | undefined, b: Json | undefined): boolean {
  return canonicalJson(a ?? null) === canonicalJson(b ?? null);
}

function describe(a: Json | undefined, b: Json | undefined): string {
  return `${short(a)} and ${short(b)}`;
}

function short(value: Json | undefined): string {
  const text = value === undefined ? "absent" : JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}
