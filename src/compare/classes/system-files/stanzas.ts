import { linesOf } from "./text-lines.ts";

const fieldForm = /^([!"$-,./0-9;-~][!-9;-~]*):(?:$|[ \t])/;
const control = /[\x01-\x08\x0b-\x1f\x7f]/;
const maxFields = 500;

/**
 * How many stanzas a file has (deb822(5): fields with continuation lines, blank lines
 * between stanzas), each of them with all the fields that are `needed`, in lower case.
 * Nothing when the file is of another form, or a stanza has a field twice or lacks a needed one.
 */
export function countStanzas(bytes: Buffer, needed: readonly string[]): number | undefined {
  const lines = linesOf(bytes);
  if (!lines) return undefined;
  let count = 0;
  let fields = new Set<string>();
  const isWhole = (): boolean => needed.every((name) => fields.has(name));
  for (const line of lines) {
    if (control.test(line)) return undefined;
    if (line === "") {
      if (fields.size > 0 && !isWhole()) return undefined;
      if (fields.size > 0) fields = new Set();
      continue;
    }
    if (line.startsWith(" ") || line.startsWith("\t")) {
      if (fields.size === 0) return undefined;
      continue;
    }
    const name = fieldForm.exec(line)?.[1]?.toLowerCase();
    if (name === undefined || fields.has(name) || fields.size >= maxFields) return undefined;
    if (fields.size === 0) count += 1;
    fields.add(name);
  }
  return fields.size === 0 || isWhole() ? count : undefined;
}
