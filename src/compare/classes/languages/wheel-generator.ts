import type { ContentClass } from "../class.ts";

const wheelPath = /(?:^|\/)[^/]+\.dist-info\/WHEEL$/;
const maxBytes = 64 * 1024;
const field = /^[A-Za-z-]+: [\x20-\x7e]*$/;

/** Which program and version packed a wheel. */
export const wheelGenerator: ContentClass = {
  name: "wheel-generator",
  version: 1,
  meaning: "a wheel was packed by another program, or another version of it",
  normalises: "the value of Generator in the file WHEEL of a Python package is replaced",
  safety:
    "the field is for people (PEP 427) and no installer reads it; the format's version, the tags, the build number and " +
    "every other line count, and so does all else in the wheel",
  applies: ({ path, bytes }) => bytes.length <= maxBytes && wheelPath.test(path),
  normalise({ bytes }) {
    const lines = bytes.toString("latin1").split("\n");
    while (lines.at(-1) === "") lines.pop();
    const generators = lines.filter((line) => line.startsWith("Generator: "));
    if (!lines[0]?.startsWith("Wheel-Version: ") || generators.length !== 1) return undefined;
    if (!lines.every((line) => field.test(line))) return undefined;
    return Buffer.from(
      lines.map((line) => (line.startsWith("Generator: ") ? "Generator: ...\n" : `${line}\n`)).join(""),
      "latin1",
    );
  },
};
