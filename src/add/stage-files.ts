import { randomUUID } from "node:crypto";
import { copyFile, link, lstat, mkdir, readdir, realpath, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { errorCode, infrastructureError, messageOf, usageError } from "../errors.ts";
import { displayPath } from "../recipe/document.ts";
import { type LintProblem, lint } from "../recipe/lint.ts";
import { fileOf, recipeFolder } from "../recipe/tree.ts";

/** Files of a new recipe by path from the factory's root. */
export type NewFiles = ReadonlyMap<string, string>;

/** Throws a usage error when there is something where a new recipe would go. */
export async function requireAbsent(root: string, name: string): Promise<void> {
  const folder = recipeFolder(name);
  if (!(await isThere(join(root, folder)))) return;
  throw usageError(`there is a recipe ${name} already`, {
    location: { file: displayPath(join(root, folder)) },
    hint: `nothing is overwritten: choose another name with --name, or add a version with refoundry pin ${name} VERSION`,
  });
}

/**
 * Checks the files as they would stand in the factory: lint, run on a copy of them with
 * the toolchain they name. Locations are those that the files will have.
 */
export async function lintNewFiles(
  files: NewFiles,
  options: {
    readonly root: string;
    readonly toolchain: string;
    readonly scratch: string;
    readonly today: string;
    /** A source that is there already and that the recipe uses. */
    readonly source?: string;
  },
): Promise<LintProblem[]> {
  const { root, scratch, today } = options;
  for (const [path, text] of files) await writeNew(join(scratch, path), text);
  const toolchain = dirname(fileOf("toolchain", options.toolchain));
  await copyTree(join(root, toolchain), join(scratch, toolchain));
  if (options.source !== undefined) {
    const path = fileOf("source", options.source);
    await mkdir(dirname(join(scratch, path)), { recursive: true });
    await copyFile(join(root, path), join(scratch, path));
  }
  const copy = displayPath(scratch);
  const problems = await lint(scratch, { today });
  return problems
    .map((problem) => ({
      ...problem,
      message: problem.message.replaceAll(`${copy}/`, ""),
      location: { ...problem.location, file: problem.location.file.replace(`${copy}/`, "") },
    }))
    .filter((problem) => files.has(problem.location.file));
}

/**
 * Puts new files into the factory: the source's file and the recipe's folder, both or
 * neither. Throws a usage error when something is there already; nothing is overwritten.
 */
export async function writeNewFiles(root: string, name: string, files: NewFiles): Promise<void> {
  const folder = recipeFolder(name);
  const draft = join(dirname(folder), `.${name}-${randomUUID()}.tmp`);
  const made: string[] = [];
  try {
    await requireAbsent(root, name);
    for (const [path, text] of files) {
      if (path.startsWith(`${folder}/`)) {
        await requirePlain(root, dirname(folder));
        await writeNew(join(root, draft, path.slice(folder.length + 1)), text);
        continue;
      }
      await requirePlain(root, dirname(path));
      const temporary = join(root, dirname(path), `.${randomUUID()}.tmp`);
      await writeNew(temporary, text);
      try {
        // unlike rename it never replaces
        await link(temporary, join(root, path));
        made.push(join(root, path));
      } finally {
        await rm(temporary, { force: true });
      }
    }
    // a folder of recipes is complete from the moment it can be seen
    await requireAbsent(root, name);
    await rename(join(root, draft), join(root, folder));
  } catch (cause) {
    for (const path of made) await rm(path, { force: true });
    await rm(join(root, draft), { recursive: true, force: true });
    const code = errorCode(cause);
    if (code === "EEXIST" || code === "ENOTEMPTY")
      throw usageError("something was put there in the meantime, and nothing is overwritten", { cause });
    if (code === undefined) throw cause;
    throw infrastructureError(`the new files cannot be written: ${messageOf(cause)}`, { cause });
  }
}

async function requirePlain(root: string, folder: string): Promise<void> {
  const location = { file: displayPath(join(root, folder)) };
  await mkdir(join(root, folder), { recursive: true }).catch((cause: unknown) => {
    throw usageError(`cannot be made a folder: ${messageOf(cause)}`, { location, cause });
  });
  if ((await realpath(join(root, folder))) === join(await realpath(root), folder)) return;
  throw usageError("lies behind a symbolic link", {
    location,
    hint: "make it a plain folder",
  });
}

async function writeNew(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text, { flag: "wx", mode: 0o644, flush: true });
}

async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    if (entry.isDirectory()) await copyTree(join(from, entry.name), join(to, entry.name));
    else if (entry.isFile()) await copyFile(join(from, entry.name), join(to, entry.name));
  }
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    (error: unknown) => {
      if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR") return false;
      throw error;
    },
  );
}
