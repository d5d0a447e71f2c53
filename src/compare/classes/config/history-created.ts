import type { Json } from "../../../oci/types.ts";
import { type ConfigClass, isObject, own, without } from "./config-class.ts";

const fields: ReadonlySet<string> = new Set(["created"]);

/** When each step of the build ran. */
export const configHistoryCreated: ConfigClass = {
  name: "config-history-created",
  version: 1,
  meaning: "the times at which the steps of the build ran",
  normalises: "`history[].created` is left out",
  safety: "no runtime reads the history; `docker history` shows it",
  normalise(config) {
    const history = own(config, "history");
    if (!Array.isArray(history)) return config;
    return { ...config, history: history.map((step: Json) => (isObject(step) ? without(step, fields) : step)) };
  },
};
