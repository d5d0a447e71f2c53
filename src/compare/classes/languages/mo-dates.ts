import { isMo, readMoHeader } from "../../formats/mo.ts";
import { epochOfStamp } from "../../formats/text-dates.ts";
import type { ContentClass } from "../class.ts";

const dateLine = /^(POT-Creation-Date|PO-Revision-Date): (\d{4}-\d\d-\d\d \d\d:\d\d[+-]\d{4})$/;

/** The dates in the header of a message catalogue of GNU gettext. */
export const moDates: ContentClass = {
  name: "mo-dates",
  version: 1,
  meaning: "a message catalogue notes another date of its template or its revision",
  normalises: "POT-Creation-Date and PO-Revision-Date in the translation of the empty message become the start of 1970",
  safety:
    "programs take the character set and plural forms from the header and nothing else; all other lines, all " +
    "messages and the file's layout are kept",
  applies: ({ bytes }) => isMo(bytes),
  normalise({ bytes }) {
    const header = readMoHeader(bytes);
    if (!header) return undefined;
    const lines = bytes.toString("latin1", header.start, header.end).split("\n");
    const text = lines.map(withoutDate).join("\n");
    const plain = Buffer.from(bytes);
    plain.write(text, header.start, "latin1");
    return plain;
  },
};

/** The form has one width, so that nothing in the file moves. */
function withoutDate(line: string): string {
  const [, field, date = ""] = dateLine.exec(line) ?? [];
  const epoch = epochOfStamp(date);
  return field === undefined || epoch?.length !== date.length ? line : `${field}: ${epoch}`;
}
