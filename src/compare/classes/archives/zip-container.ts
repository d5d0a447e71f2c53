import { readZip } from "../../formats/zip.ts";
import { canonicalForm, type ContentClass } from "../class.ts";

/** Zip archives: jar, whl, and others. */
export const zipContainer: ContentClass = {
  name: "zip-container",
  version: 1,
  meaning: "a zip or jar archive with other times, another order of members or another compression",
  normalises:
    "members are sorted by name and compared as files of their own, with attributes, comments and extra fields; times, positions and compression are left out",
  safety:
    "readers find members by name through the directory; a name given twice, data between members, encryption and zip64 are not explained",
  applies: ({ bytes }) => bytes.length > 22 && bytes.readUInt32LE(0) === 0x04034b50,
  async normalise({ bytes }, context) {
    const archive = await readZip(bytes, context.remaining());
    if (!archive) return undefined;
    const names = new Set(archive.members.map(({ name }) => name.toString("latin1")));
    if (names.size !== archive.members.length) return undefined;
    context.spend(archive.members.reduce((sum, { content }) => sum + content.length, 0));
    const parts: (Buffer | string)[] = [archive.comment];
    for (const member of archive.members.toSorted((a, b) => Buffer.compare(a.name, b.name))) {
      const { name, content, system, attributes, extra, comment } = member;
      parts.push(
        name,
        `${system} ${attributes}`,
        extra,
        comment,
        await context.member(name.toString("latin1"), content),
      );
    }
    return canonicalForm("zip", parts);
  },
};
