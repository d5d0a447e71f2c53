import { type ConfigClass, without } from "./config-class.ts";

const fields: ReadonlySet<string> = new Set(["history"]);

/** What the steps of the build were. */
export const configHistory: ConfigClass = {
  name: "config-history",
  version: 1,
  meaning: "what the history says of the build's steps: commands, comments, which of them made no layer",
  normalises: "`history` is left out",
  safety: "no runtime reads the history; it is reported on its own because it tells how the image was built",
  normalise: (config) => without(config, fields),
};
