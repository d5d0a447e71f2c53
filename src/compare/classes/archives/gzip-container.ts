import { readGzipMembers } from "../../formats/gzip.ts";
import { canonicalForm, type ContentClass } from "../class.ts";

/** Files compressed with gzip. */
export const gzipContainer: ContentClass = {
  name: "gzip-container",
  version: 1,
  meaning: "a gzip file with another time, name, level or encoder",
  normalises: "members (RFC 1952) are decompressed, and what they hold is compared as a file of its own",
  safety: "whoever reads the file reads what is inside; bytes that are no member make it another file",
  applies: ({ bytes }) => bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 8,
  async normalise({ path, bytes }, context) {
    const content = await readGzipMembers(bytes, context.remaining());
    if (content === undefined) return undefined;
    context.spend(content.length);
    const name = path.replace(/^.*\//, "").replace(/\.gz$/, "");
    return canonicalForm("gzip", [await context.member(name, content)]);
  },
};
