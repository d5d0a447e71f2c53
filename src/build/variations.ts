import { splitDockerfile } from "../recipe/dockerfile-lines.ts";
import type { Variation } from "../recipe/variations.ts";

/** What each does, for people. */
export const variationTexts: Readonly<Record<Variation, string>> = {
  hostname: "another host name",
  path: "the build's working folders below another folder",
  locale: "LC_ALL=C.UTF-8 and LANGUAGE=fr",
  timezone: "TZ twelve hours from UTC",
  umask: "umask 0002",
  cpus: "one processor",
};

const environment: Partial<Readonly<Record<Variation, string>>> = {
  locale: "export LC_ALL=C.UTF-8 LANGUAGE=fr",
  timezone: "export TZ=XXX+12",
  umask: "umask 0002",
};

/**
 * The shell by which RUN commands start under these variations, as an image's config names
 * it; undefined where none of them needs one. Commands in exec form have no shell and stay
 * as they are. BuildKit appends the command, which is `$0` then.
 */
export function variedShell(chosen: readonly Variation[]): readonly string[] | undefined {
  const steps = chosen.flatMap((variation) => environment[variation] ?? []);
  if (steps.length === 0 && !chosen.includes("cpus")) return undefined;
  const start = 'exec /bin/sh -c "$0"';
  const oneProcessor = 'command -v taskset >/dev/null && exec taskset -c 0 /bin/sh -c "$0"';
  return ["/bin/sh", "-c", [...steps, ...(chosen.includes("cpus") ? [oneProcessor] : []), start].join("; ")];
}

/** Folders that are the toolchain's own: what lies beside a working folder there stays where it is. */
const systemFolder = /^\/(bin|etc|home|lib|opt|root|run|sbin|srv|tmp|usr|var)(\/|$)/;

/**
 * A Dockerfile whose stages but the last work below another folder: each WORKDIR's path is
 * another one, wherever the text has it, and so is that of the folder it lies in, for what
 * is put beside it and where its own name is an argument's. Undefined where there is none to move.
 */
export function variedDockerfile(text: string): string | undefined {
  const { instructions } = splitDockerfile(text, "Dockerfile");
  const last = instructions.findLastIndex(({ name }) => name === "FROM");
  const folders = instructions
    .slice(0, Math.max(0, last))
    .flatMap(({ name, rest }) => (name === "WORKDIR" ? [rest.trim()] : []));
  const parents = folders.map((path) => path.slice(0, path.lastIndexOf("/")));
  const moved = [...folders, ...parents.filter((path) => !systemFolder.test(path))].filter((path) =>
    /^\/[\w.+~-]+(\/[\w.+~-]+)*$/.test(path),
  );
  if (moved.length === 0) return undefined;
  // the longest first: one may lie below another
  const either = [...new Set(moved)]
    .toSorted((a, b) => b.length - a.length)
    .map((path) => path.replaceAll(/[.+]/g, String.raw`\$&`))
    .join("|");
  return text.replaceAll(new RegExp(`(?<![\\w./+~-])(?:${either})(?![\\w.+~-])`, "g"), "/varied$&");
}
