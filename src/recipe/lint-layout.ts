import { join } from "node:path";
import type { Location, Problem } from "../errors.ts";
import { displayPath } from "./document.ts";
import { nameSchema, versionSchema } from "./schema.ts";
import { folders, listFolder } from "./tree.ts";
import { quoted } from "./words.ts";

/** Takes in problems as they are found; repeats are kept once. */
export interface Findings {
  error(problems: readonly Problem[]): void;
  warn(message: string, location: Location, hint: string): void;
}

/** Finds what lies where nothing would ever read it. */
export async function checkLayout(root: string, findings: Findings): Promise<void> {
  await checkFiles(root, folders.source, isName, findings);
  await checkFolders(root, folders.recipe, "releases", findings);
  await checkFolders(root, folders.toolchain, "locks", findings);
}

async function checkFolders(root: string, folder: string, inner: string, findings: Findings): Promise<void> {
  for (const entry of await listFolder(join(root, folder))) {
    if (entry.isFile()) continue;
    if (isName(entry.name)) await checkFiles(root, `${folder}/${entry.name}/${inner}`, isVersion, findings);
    else findings.error([badName(join(root, folder, entry.name), entry.name, "folder")]);
  }
}

async function checkFiles(
  root: string,
  folder: string,
  valid: (name: string) => boolean,
  findings: Findings,
): Promise<void> {
  for (const entry of await listFolder(join(root, folder))) {
    const path = join(root, folder, entry.name);
    const name = entry.name.replace(/\.yaml$/, "");
    if (name === entry.name) {
      findings.warn("nothing reads this file", { file: displayPath(path) }, "files here are named NAME.yaml");
    } else if (!valid(name)) findings.error([badName(path, name, "file")]);
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
