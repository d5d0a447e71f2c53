import type { ContentClass } from "../class.ts";

const recordPath = /(?:^|\/)[^/]+\.dist-info\/RECORD$/;
const maxBytes = 4 * 1024 * 1024;
/** Path, digest and size; a path with a comma or a quote stands in quotes. */
const recordLine = /^([^",\r\n]+|"(?:[^"\r\n]|"")+"),((?:[a-z0-9_]+=[A-Za-z0-9_-]+)?),(\d{0,20})\r?$/;
const bytecodePath = /(?:^|\/)__pycache__\/[^/]+\.(?:cpython|pypy)-?\d+(?:\.opt-[12])?\.pyc$/;

/** The list of an installed Python package's files. */
export const wheelRecord: ContentClass = {
  name: "wheel-record",
  version: 2,
  meaning: "the list of a Python package's files names them in another order, with other bytecode or another WHEEL",
  normalises:
    "the lines of RECORD are sorted; those of bytecode in __pycache__, which Python makes from the sources, are taken out, " +
    "and of the file WHEEL beside it, which says who packed it, the name alone is kept",
  safety:
    "the list is a set to its readers; path, digest and size of every other file are kept, and the bytecode and WHEEL " +
    "themselves are compared where they stand",
  applies: ({ path, bytes }) => bytes.length <= maxBytes && recordPath.test(path),
  normalise({ path, bytes }) {
    const lines = bytes.toString("latin1").split("\n");
    if (bytes.length > maxBytes || lines.pop() !== "") return undefined;
    const kept: string[] = [];
    const wheel = `${path.split("/").at(-2)}/WHEEL`;
    for (const line of lines) {
      const listed = recordLine.exec(line)?.[1];
      if (listed === undefined) return undefined;
      if (listed === wheel) kept.push(`${listed},,`);
      else if (!bytecodePath.test(listed)) kept.push(line);
    }
    return Buffer.from(
      kept
        .toSorted()
        .map((line) => `${line}\n`)
        .join(""),
      "latin1",
    );
  },
};
