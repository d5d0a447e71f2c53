import { randomUUID } from "node:crypto";
import { lstat, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { errorCode, infrastructureError, messageOf } from "../errors.ts";
import { displayPath } from "./document.ts";

/** Whether there is nothing at a path, not even a dangling link. */
export async function isAbsent(path: string): Promise<boolean> {
  return lstat(path).then(
    () => false,
    (error: unknown) => errorCode(error) === "ENOENT",
  );
}

/** Writes a file in one step: whoever reads it sees what was there before, or all of the text. */
export async function replaceFile(path: string, text: string): Promise<void> {
  // hidden, so that a leftover is never taken for a document
  const temporary = join(dirname(path), `.${randomUUID()}.tmp`);
  try {
    const handle = await open(temporary, "wx", 0o644);
    try {
      await handle.writeFile(text);
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw infrastructureError(`${displayPath(path)} cannot be written: ${messageOf(cause)}`, { cause });
  }
}
