import { isElf } from "../../formats/elf.ts";
import type { ContentClass } from "../class.ts";

// runtime/debug: what stands before and behind the module information in every Go program
const start = Buffer.from("3077af0c9274080241e1c107e6d618e6", "hex");
const end = Buffer.from("f932433186182072008242104116d8f2", "hex");
const maxBytes = 4 * 1024 * 1024;
const maxCopies = 16;
const revision = /^(build\tvcs\.revision=)([0-9a-f]{40})$/gm;
const time = /^(build\tvcs\.time=)(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)$/gm;

/** From which commit a Go program says that it was built. */
export const goBuildInfo: ContentClass = {
  name: "go-build-info",
  version: 1,
  meaning: "another commit or commit time in the build information of a Go program",
  normalises: "the values of vcs.revision and vcs.time are overwritten where they have the form of a commit and a time",
  safety:
    "`go version -m` shows them; modules, their versions and sums, settings and every other byte of the file count",
  applies: ({ bytes }) => isElf(bytes) && bytes.includes(start),
  normalise({ bytes }) {
    const changed = Buffer.from(bytes);
    let copies = 0;
    for (let at = bytes.indexOf(start); at !== -1 && copies < maxCopies; at = bytes.indexOf(start, at + start.length)) {
      copies += 1;
      const from = at + start.length;
      const stop = bytes.indexOf(end, from);
      if (stop === -1 || stop - from > maxBytes) continue;
      const text = bytes.toString("latin1", from, stop);
      const settled = text
        .replace(revision, (_, key: string, value: string) => key + ".".repeat(value.length))
        .replace(time, (_, key: string, value: string) => key + ".".repeat(value.length));
      changed.write(settled, from, "latin1");
    }
    return changed;
  },
};
