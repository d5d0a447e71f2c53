import type { ContentClass } from "../class.ts";

const path = /(?:^|\/)META-INF\/MANIFEST\.MF$/;
const maxBytes = 1024 * 1024;
const told =
  /^(Created-By|Built-By|Build-Jdk|Build-Jdk-Spec|Build-Date|Build-Time|Build-Timestamp|Bnd-LastModified): [\x20-\x7e]+$/;

/** Who packed a jar, with which Java, and when. */
export const jarManifest: ContentClass = {
  name: "jar-manifest",
  version: 1,
  meaning: "another maker, Java version or time in a jar's manifest",
  normalises:
    "in the main section, values of Created-By, Built-By, Build-Jdk, Build-Date and the like that stand on one line are replaced",
  safety:
    "no class loader reads them; every other attribute, its order, and the sections of entries with their digests count",
  applies: (file) => path.test(file.path) && file.bytes.length <= maxBytes,
  normalise({ bytes }) {
    const lines = bytes.toString("latin1").split("\n");
    const end = lines.findIndex((line) => line === "" || line === "\r");
    if (!lines[0]?.startsWith("Manifest-Version: ") || end === -1) return undefined;
    const settled = lines.map((line, position) => {
      const text = line.replace(/\r$/, "");
      // a line that goes on in the next is left alone
      const isWhole = position < end && !lines[position + 1]?.startsWith(" ");
      return isWhole && told.test(text) ? line.replace(/: [\x20-\x7e]+/, ": ...") : line;
    });
    return Buffer.from(settled.join("\n"), "latin1");
  },
};
