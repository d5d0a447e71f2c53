import type { Json, JsonObject } from "../../../oci/types.ts";
import type { ClassDescription } from "../class.ts";

/** A class of differences in fields of an image's config that do not change what runs. */
export interface ConfigClass extends ClassDescription {
  /**
   * The config with the class's fields brought into one form. Two configs that differ in
   * anything else stay different.
   */
  normalise(config: JsonObject): JsonObject;
}

/** The object without some of its keys. */
export function without(object: JsonObject, keys: ReadonlySet<string>): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.has(key)));
}

/** What the document itself says, and not what every object inherits. */
export function own(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** Whether a value is a JSON object. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The config with its `config` object changed; as it is when that is no object. */
export function withRuntime(config: JsonObject, change: (runtime: JsonObject) => JsonObject): JsonObject {
  const runtime = own(config, "config");
  return isObject(runtime) ? { ...config, config: change(runtime) } : config;
}
