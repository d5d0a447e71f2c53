import { hasOnlyLines } from "./text-lines.ts";

const signature = "Signature: 8a477f597d28d172789f06886806bc55";
const maxBytes = 4096;

/** Whether a file is the mark of a cache's folder (Cache Directory Tagging Specification) and has but comments besides. */
export function isCacheTag(bytes: Buffer): boolean {
  if (bytes.length > maxBytes || !bytes.toString("latin1", 0, 64).startsWith(`${signature}\n`)) return false;
  return hasOnlyLines(bytes, (line) => line === signature || line === "" || line.startsWith("#"));
}
