import { randomUUID } from "node:crypto";
import { chmod, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { infrastructureError, messageOf, RefoundryError, usageError } from "../errors.ts";
import { displayPath, readTextFile } from "./document.ts";
import { type FixChange, planFixes, type StyledKind } from "./fix.ts";
import { styledSchemas } from "./fix-meaning.ts";
import { isName, isVersion } from "./lint-layout.ts";
import { quickYaml } from "./lint-quick-yaml.ts";
import { scopeOf, wholeTree } from "./lint-scope.ts";
import { looksUntidy } from "./lint-style.ts";
import { fileOf, listNamed, listReleases, listToolchainLocks, lockFile, releaseFile } from "./tree.ts";

/** A file that was mended, or would be. */
export interface FixedFile {
  /** Its path for messages: from the current folder when it is below that. */
  readonly file: string;
  readonly before: string;
  readonly after: string;
  readonly changes: readonly FixChange[];
}

/** What is mended. */
export interface FixOptions {
  /** Names of recipes, and files and folders, absolute or from the current folder; all when absent. */
  readonly paths?: readonly string[];
  /** Whether files are only looked at. */
  readonly dryRun: boolean;
}

/**
 * Mends what is mechanical in a factory's files, each in one step, and gives the files it
 * was in. A file that cannot be read or is not valid YAML is left alone, as is one that is
 * changed by somebody else meanwhile: that is a usage error. Throws an infrastructure
 * error when a file cannot be written.
 */
export async function fixFiles(root: string, options: FixOptions): Promise<FixedFile[]> {
  const scope = options.paths ? await scopeOf(root, options.paths) : wholeTree;
  const fixed: FixedFile[] = [];
  for (const { path, kind } of await styledFiles(root)) {
    const full = join(root, path);
    if (!scope.covers(full)) continue;
    const { text, file } = await readTextFile(root, path);
    if (text === undefined || isTidy(text, kind)) continue;
    const plan = planFixes(text, kind);
    if (plan.text === text) continue;
    if (!options.dryRun) await replaceText(resolve(full), text, plan.text);
    fixed.push({ file, before: text, after: plan.text, changes: plan.changes });
  }
  return fixed;
}

/** Spares the many files that need nothing a thorough look. */
function isTidy(text: string, kind: StyledKind): boolean {
  const data = quickYaml(text);
  return data !== undefined && styledSchemas[kind].safeParse(data).success && !looksUntidy(text, data, kind);
}

async function styledFiles(root: string): Promise<{ readonly path: string; readonly kind: StyledKind }[]> {
  const files: { path: string; kind: StyledKind }[] = [];
  for (const name of (await listNamed(root, "recipe")).filter(isName)) {
    files.push({ path: fileOf("recipe", name), kind: "recipe" });
    for (const version of (await listReleases(root, name)).filter(isVersion))
      files.push({ path: releaseFile(name, version), kind: "release" });
  }
  for (const name of (await listNamed(root, "toolchain")).filter(isName)) {
    files.push({ path: fileOf("toolchain", name), kind: "toolchain" });
    for (const lock of (await listToolchainLocks(root, name)).filter(isVersion))
      files.push({ path: lockFile(name, lock), kind: "lock" });
  }
  for (const name of (await listNamed(root, "source")).filter(isName))
    files.push({ path: fileOf("source", name), kind: "source" });
  return files;
}

/** Replaces a file in one step, with the permissions it had. Somebody else's change is not written over. */
async function replaceText(path: string, before: string, after: string): Promise<void> {
  // hidden, so that a leftover is never taken for a release
  const temporary = join(dirname(path), `.${randomUUID()}.tmp`);
  try {
    const { mode } = await stat(path);
    const handle = await open(temporary, "wx", 0o600);
    try {
      await handle.writeFile(after);
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await chmod(temporary, mode & 0o7777);
    const present = new TextDecoder().decode(await readFile(path));
    if (present !== before)
      throw usageError("was changed while it was being fixed", {
        location: { file: displayPath(path) },
        hint: "run refoundry lint --fix again",
      });
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true });
    if (cause instanceof RefoundryError) throw cause;
    throw infrastructureError(`${displayPath(path)} cannot be written: ${messageOf(cause)}`, { cause });
  }
}
