import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { errorCode, infrastructureError, messageOf } from "../errors.ts";

/**
 * Makes a folder and those above it that are missing. Throws an infrastructure error that
 * names the one that cannot be made. (Node's own recursive mkdir does not end where a
 * folder that is there takes no others, as in /proc.)
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const code = errorCode(error);
    if (code === "EEXIST" && (await isFolder(path))) return;
    const above = dirname(path);
    if (code === "ENOENT" && above !== path && !(await isFolder(above))) {
      await makeFolder(above);
      return makeFolder(path);
    }
    const message = code === "EEXIST" ? "there is a file by that name" : messageOf(error);
    throw infrastructureError(`the folder ${path} cannot be made: ${message}`, {
      cause: error,
      hint: "choose another folder, or remove what is in its place",
    });
  }
}

function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
