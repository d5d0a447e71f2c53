import { type ConfigClass, without } from "./config-class.ts";

const fields: ReadonlySet<string> = new Set(["author"]);

/** Who made the image. */
export const configAuthor: ConfigClass = {
  name: "config-author",
  version: 1,
  meaning: "the name of the person or body that made the image",
  normalises: "`author` is left out",
  safety: "no runtime reads it",
  normalise: (config) => without(config, fields),
};
