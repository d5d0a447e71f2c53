import { type ConfigClass, own, without } from "./config-class.ts";

const fields: ReadonlySet<string> = new Set(["variant"]);

/** arm64's variant, which goes without saying. */
export const configVariant: ConfigClass = {
  name: "config-variant",
  version: 1,
  meaning: "arm64's variant v8 is written on one side only",
  normalises: "`variant` is left out of arm64's configs when it is empty or `v8`",
  safety: "runtimes take arm64 without a variant for v8 (containerd, platforms.Normalize)",
  normalise(config) {
    const variant = own(config, "variant") ?? "";
    return own(config, "architecture") === "arm64" && (variant === "" || variant === "v8")
      ? without(config, fields)
      : config;
  },
};
