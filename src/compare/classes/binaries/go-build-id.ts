import { isElf, parseElf } from "../../formats/elf.ts";
import { notesOf } from "../../formats/elf-notes.ts";
import type { ContentClass } from "../class.ts";

const goBuildIdNote = 4;
const idForm = /^[A-Za-z0-9_-]{20}(?:\/[A-Za-z0-9_-]{20}){1,3}$/;
const textStart = Buffer.from('\xff Go build ID: "', "latin1");
const textEnd = Buffer.from('"\n \xff', "latin1");

/** What begins an object file of Go's compiler, a member of the archive that a package is compiled to. */
const objectStart = Buffer.from("go object ", "latin1");
const objectHeader = /^go object [^\n]{1,1000}\nbuild id "([^"\n]{1,200})"\n/;

/** The number by which Go's linker tells builds apart. */
export const goBuildId: ContentClass = {
  name: "go-build-id",
  version: 2,
  meaning: "another Go build id in an ELF file or in what Go's compiler wrote",
  normalises:
    "the id is overwritten with dots, in the note of Go's linker, before the code and in the second line of an object file, where it has an id's form",
  safety: "it is a hash of the build's inputs that `go tool buildid` reads; every other byte of the file counts",
  applies: ({ bytes }) => isElf(bytes) || startsObject(bytes),
  normalise({ bytes }) {
    if (startsObject(bytes)) return withoutObjectId(bytes);
    const elf = parseElf(bytes);
    const note = elf && notesOf(elf).find(({ owner, type }) => owner.startsWith("Go") && type === goBuildIdNote);
    if (!note || !idForm.test(bytes.toString("latin1", note.offset, note.offset + note.size))) return undefined;
    const changed = Buffer.from(bytes);
    changed.fill(".", note.offset, note.offset + note.size);
    const text = elf.sections.find(({ name }) => name === ".text");
    if (text && bytes.subarray(text.offset, text.offset + textStart.length).equals(textStart)) {
      const start = text.offset + textStart.length;
      const end = bytes.indexOf(textEnd, start);
      if (end !== -1 && idForm.test(bytes.toString("latin1", start, Math.min(end, start + 200))))
        changed.fill(".", start, end);
    }
    return changed;
  },
};

function startsObject(bytes: Buffer): boolean {
  return bytes.subarray(0, objectStart.length).equals(objectStart);
}

function withoutObjectId(bytes: Buffer): Buffer | undefined {
  const [header, id = ""] = objectHeader.exec(bytes.toString("latin1", 0, 1500)) ?? [];
  if (header === undefined || !idForm.test(id)) return undefined;
  const changed = Buffer.from(bytes);
  const end = header.length - '"\n'.length;
  changed.fill(".", end - id.length, end);
  return changed;
}
