import { type ConfigClass, own, withRuntime, without } from "./config-class.ts";

const fields: ReadonlySet<string> = new Set(["ArgsEscaped"]);

/** A mark of Windows images that BuildKit also writes for Linux. */
export const configArgsEscaped: ConfigClass = {
  name: "config-args-escaped",
  version: 1,
  meaning: "`ArgsEscaped`, by which BuildKit says that the command is escaped as Windows wants it",
  normalises: "`config.ArgsEscaped` is left out of images for anything but Windows",
  safety: "only Windows runtimes read it",
  normalise: (config) =>
    own(config, "os") === "windows" ? config : withRuntime(config, (runtime) => without(runtime, fields)),
};
