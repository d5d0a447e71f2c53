import type { Json } from "../../../oci/types.ts";
import { type ConfigClass, own, withRuntime, without } from "./config-class.ts";

/** Fields whose absence and whose emptiness mean the same (image-spec, config.md). */
const fields: readonly string[] = [
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
];

/** Fields that are empty on one side and absent on the other. */
export const configEmpty: ConfigClass = {
  name: "config-empty",
  version: 1,
  meaning: "a field that is absent on one side, and null or empty on the other",
  normalises: `inside \`config\`, ${fields.join(", ")} are left out when they are null, an empty text, list or object`,
  safety: "image-spec gives the absent and the empty field the same meaning",
  normalise: (config) =>
    withRuntime(config, (runtime) => without(runtime, new Set(fields.filter((key) => isEmpty(own(runtime, key)))))),
};

function isEmpty(value: Json | undefined): boolean {
  if (value === undefined || value === null || value === "") return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}
