import { resolve } from "node:path";
import { usageError } from "../errors.ts";
import { collectGarbage } from "../escrow/collect.ts";
import { capsuleTag } from "../escrow/read-capsule.ts";
import { parseReference } from "../oci/reference.ts";
import { findRoot, listRecipes, listReleases } from "../recipe/load.ts";
import { formatBytes, plainText } from "../report/text.ts";
import { readSettings } from "../settings.ts";
import { type CliContext, type CommonFlags, runCommand } from "./context.ts";

/** Flags of `refoundry gc`. */
export interface GcFlags extends CommonFlags {
  readonly escrow?: string;
  readonly confirm?: boolean;
  /** Hours. */
  readonly grace?: number;
}

const defaultGraceHours = 24;

/** `refoundry gc`: what of an escrow no release in git reaches; removes it with `--confirm`. */
export function gc(this: CliContext, flags: GcFlags): Promise<void> {
  return runCommand(this, flags, async () => {
    const place = flags.escrow ?? readSettings(this.process.env).escrow;
    if (place === undefined)
      throw usageError("which escrow?", { hint: "give --escrow oci:PATH, or set REFOUNDRY_ESCROW" });
    const reference = parseReference(place);
    if (reference.kind !== "oci")
      throw usageError(`${place} is no layout on disk, and only these are swept`, {
        hint: "a registry collects its own garbage: delete the tags of capsules that are not needed there",
      });
    const { grace = defaultGraceHours, confirm = false } = flags;
    if (!(grace >= 0)) throw usageError(`--grace takes hours, and got ${grace}`);
    const root = await findRoot(this.cwd);
    const keep = new Set<string>();
    for (const recipe of await listRecipes(root))
      for (const version of await listReleases(root, recipe)) keep.add(capsuleTag(recipe, version));
    // a folder without recipes would make everything garbage
    if (keep.size === 0) throw usageError("there is no release here, so nothing would be kept");
    const garbage = await collectGarbage(resolve(this.cwd, reference.path), keep, {
      graceSeconds: grace * 3600,
      now: Date.now(),
      remove: confirm,
      signal: this.signal,
    });
    const { tags, blobs, bytes } = garbage;
    const lines = [
      ...tags.map((tag) => `${plainText(tag)} is the capsule of no release here`),
      `${blobs} blobs (${formatBytes(bytes)}) are reached by nothing that is kept`,
      confirm ? "all of that was removed" : "nothing was removed: --confirm does it",
    ];
    return {
      text: lines.join("\n"),
      document: { schema: "refoundry/gc/v1", removed: confirm, ...garbage },
      exitCode: 0,
    };
  });
}
