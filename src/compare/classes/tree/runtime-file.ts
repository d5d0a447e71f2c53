import type { ContentClass } from "../class.ts";

const maxBytes = 64 * 1024;
const lineForms: ReadonlyMap<string, RegExp> = new Map([
  ["etc/resolv.conf", /^(?:nameserver|search|domain|options|sortlist)[ \t][\x20-\x7e\t]*$/],
  ["etc/hosts", /^[0-9a-fA-F:.]+[ \t][A-Za-z0-9._ \t-]+$/],
  ["etc/hostname", /^[A-Za-z0-9._-]{1,255}$/],
]);
const ignored = /^[ \t]*(?:#[^\0]*)?$/;

/** Network files that the machine which built the image left behind. */
export const runtimeFile: ContentClass = {
  name: "runtime-file",
  version: 1,
  meaning: "/etc/resolv.conf, /etc/hosts or /etc/hostname as the machine had it that built the image",
  normalises: "a file in which every line has the form that its program reads counts as nothing",
  safety:
    "container runtimes mount their own over these paths before anything runs; a line of another form makes the whole file count",
  applies: ({ path }) => lineForms.has(path),
  normalise({ path, bytes }) {
    const form = lineForms.get(path);
    if (!form || bytes.length > maxBytes) return undefined;
    const lines = bytes.toString("latin1").split("\n");
    return lines.every((line) => ignored.test(line) || form.test(line)) ? "absent" : undefined;
  },
};
