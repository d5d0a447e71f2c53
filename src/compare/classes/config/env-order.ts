import { type ConfigClass, own, withRuntime } from "./config-class.ts";

/** The order of environment variables. */
export const configEnvOrder: ConfigClass = {
  name: "config-env-order",
  version: 1,
  meaning: "the same environment variables in another order",
  normalises: "`config.Env` is sorted when every entry is a text and no variable is set twice",
  safety: "a process sees a set of variables; where one is set twice the order counts and stays",
  normalise: (config) =>
    withRuntime(config, (runtime) => {
      const env = own(runtime, "Env");
      if (!Array.isArray(env) || !env.every((entry) => typeof entry === "string")) return runtime;
      const names = new Set(env.map((entry) => entry.split("=")[0]));
      return names.size === env.length ? { ...runtime, Env: env.toSorted() } : runtime;
    }),
};
