import { type ConfigClass, without } from "./config-class.ts";

const fields: ReadonlySet<string> = new Set(["created"]);

/** When the image was made. */
export const configCreated: ConfigClass = {
  name: "config-created",
  version: 1,
  meaning: "the time at which the image was made",
  normalises: "`created` is left out",
  safety: "no runtime reads it; `docker images` shows it",
  normalise: (config) => without(config, fields),
};
