import type { Attributes, FlatEntry } from "../entry.ts";
import type { ClassDescription } from "./class.ts";

/** A class of entries that count as nothing when they are empty: one side may lack them. */
export interface EntryClass extends ClassDescription {
  /**
   * Whether an entry counts as nothing. A folder is asked about when everything in it
   * counts as nothing already.
   */
  vanishes(path: string, entry: FlatEntry): boolean;
}

const modes: ReadonlySet<number> = new Set([
  0o600, 0o640, 0o644, 0o660, 0o664, 0o700, 0o750, 0o755, 0o775, 0o1777, 0o2755, 0o2775,
]);

/** Whether attributes give nobody anything: no setuid, no capabilities, no device. */
export function isHarmless({ type, mode, xattrs }: Attributes): boolean {
  const isPlain = type === "file" ? (mode & 0o7000) === 0 : type === "directory" && modes.has(mode);
  return isPlain && xattrs === "";
}

/** Whether an entry is a file of no bytes or a folder, with harmless attributes and one name. */
export function isEmpty({ facts, group }: FlatEntry): boolean {
  return isHarmless(facts.attributes) && facts.size === 0 && group === "";
}
