import type { Json } from "../../../oci/types.ts";
import { type ConfigClass, own, withRuntime, without } from "./config-class.ts";

const topLevel: ReadonlySet<string> = new Set(["container", "container_config", "docker_version", "id", "parent"]);
/** The legacy builder wrote a host name, an image id, and switches that are off. */
const inside: readonly string[] = [
  "Hostname",
  "Domainname",
  "Image",
  "AttachStdin",
  "AttachStdout",
  "AttachStderr",
  "Tty",
  "OpenStdin",
  "StdinOnce",
];

/** What Docker's legacy builder wrote of the container that it built in. */
export const configLegacy: ConfigClass = {
  name: "config-legacy",
  version: 1,
  meaning: "fields in which Docker's legacy builder described the container that it built in",
  normalises:
    "`container`, `container_config`, `docker_version`, `id` and `parent` are left out; inside `config` so are `Hostname`, `Image` and the terminal's switches when they are texts, false or null",
  safety:
    "image-spec does not know them and runtimes set their own; a switch that is on stays, and so does anything of another type",
  normalise: (config) =>
    withRuntime(without(config, topLevel), (runtime) =>
      without(runtime, new Set(inside.filter((key) => isLegacyValue(own(runtime, key))))),
    ),
};

function isLegacyValue(value: Json | undefined): boolean {
  return value === undefined || value === null || value === false || typeof value === "string";
}
