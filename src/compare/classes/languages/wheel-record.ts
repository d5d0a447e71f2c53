import type { ContentClass } from "../class.ts";

const recordPath = /(?:^|\/)[^/]+\.dist-info\/RECORD$/;
const maxBytes = 4 * 1024 * 1024;
/** Path, digest and size; a path with a comma or a quote stands in quotes. */
const recordLine = /^([^",\r\n]+|"(?:[^"\r\n]|"")+"),((?:[a-z0-9_]+=[A-Za-z0-9_-]+)?),(\d{0,20})\r?$/;
const bytecodePath = /(?:^|\/)__pycache__\/[^/]+\.(?:cpython|pypy)-?\d+(?:\.opt-[12])?\.pyc$/;

/** The list of an installed Python package's files. */
export const wheelRecord: ContentClass = {
  name: "wheel-record",
  version: 1,
  meaning: "the list of a Python package's files names them in another order, or with other bytecode",
  normalises:
    "the lines of RECORD are sorted, and those of bytecode in __pycache__, which Python makes from the sources, are taken out",
  safety:
    "the list is a set to its readers; path, digest and size of every other file are kept, and the bytecode itself " +
    "is compared where it stands in the image",
  applies: ({ path, bytes }) => bytes.length <= maxBytes && recordPath.test(path),
  normalise({ bytes }) {
    const lines = bytes.toString("latin1").split("\n");
    if (bytes.length > maxBytes || lines.pop() !== "") return undefined;
    const kept: string[] = [];
    for (const line of lines) {
      const path = recordLine.exec(line)?.[1];
      if (path === undefined) return undefined;
      if (!bytecodePath.test(path)) kept.push(line);
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
