import { join } from "node:path";
import type { Problem } from "../errors.ts";
import { displayPath } from "./document.ts";
import type { TreeReader } from "./lint-read.ts";
import type { Report } from "./lint-rules.ts";
import { nameSchema, versionSchema } from "./schema.ts";
import { folders } from "./tree.ts";
import { quoted } from "./words.ts";

/** Finds what lies where nothing would ever read it. */
export async function checkLayout(reader: TreeReader, report: Report): Promise<void> {
  await checkFiles(reader, folders.source, isName, report);
  await checkFolders(reader, folders.recipe, "releases", report);
  await checkFolders(reader, folders.toolchain, "locks", report);
  await checkFolders(reader, folders.toolchain, "sources", report);
}

async function checkFolders(reader: TreeReader, folder: string, inner: string, report: Report): Promise<void> {
  for (const entry of (await reader.list(folder)).values()) {
    if (entry.isFile()) continue;
    if (isName(entry.name)) await checkFiles(reader, `${folder}/${entry.name}/${inner}`, isVersion, report);
    else report("layout", badName(join(reader.root, folder, entry.name), entry.name, "folder"));
  }
}

async function checkFiles(
  reader: TreeReader,
  folder: string,
  valid: (name: string) => boolean,
  report: Report,
): Promise<void> {
  for (const entry of (await reader.list(folder)).values()) {
    const path = join(reader.root, folder, entry.name);
    const name = entry.name.replace(/\.yaml$/, "");
    if (name === entry.name) {
      const location = { file: displayPath(path) };
      report("unread-file", { message: "nothing reads this file", location, hint: "files here are named NAME.yaml" });
    } else if (!valid(name)) report("layout", badName(path, name, "file"));
  }
}

function badName(path: string, name: string, what: "file" | "folder"): Problem {
  return {
    message: `${quoted(name)} is not a name that a ${what} can have here`,
    location: { file: displayPath(path) },
    hint: "names are letters, digits and single . _ - between them",
  };
}

/** Whether a text is a name of a recipe, toolchain or source. */
export function isName(name: string): boolean {
  return nameSchema.safeParse(name).success;
}

/** Whether a text is a version or the name of a lock. */
export function isVersion(name: string): boolean {
  return versionSchema.safeParse(name).success;
}
