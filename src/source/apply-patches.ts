import { join } from "node:path";
import { usageError } from "../errors.ts";
import { applyPatch } from "../git/apply.ts";
import type { Patch } from "../recipe/patches.ts";
import { sealTree } from "./stage.ts";

/**
 * Applies a recipe's patches to its staged source, in order, and sets modes and times as
 * staging does. `patchFolder` has the files by the names that the recipe gives them. Throws
 * a usage error that names the patch which does not apply.
 */
export async function applyPatches(
  patches: readonly Patch[],
  patchFolder: string,
  { folder, epoch }: { readonly folder: string; readonly epoch: number },
  signal: AbortSignal,
): Promise<void> {
  if (patches.length === 0) return;
  for (const { file } of patches) {
    const refusal = await applyPatch(folder, join(patchFolder, file), signal);
    if (refusal === undefined) continue;
    throw usageError(`the patch ${file} does not apply to the source:\n${refusal}`, {
      hint: "make it anew for this version; a patch for some versions belongs under versions in the recipe",
    });
  }
  await sealTree(folder, epoch);
}
