import { compareImages } from "../compare/compare-images.ts";
import { summariseComparison } from "../compare/summary.ts";
import type { Comparison } from "../compare/types.ts";
import { usageError } from "../errors.ts";
import { resolveReference } from "../oci/open-reference.ts";
import { parseReference } from "../oci/reference.ts";
import { createRegistryClient } from "../oci/registry/client.ts";
import { type CliContext, type CommonFlags, runCommand } from "./context.ts";

/** Flags of `refoundry compare`. */
export interface CompareFlags extends CommonFlags {
  readonly require?: string;
}

const ladder = ["index", "index-core", "manifest", "config", "layers", "entries", "filesystem", "explained"] as const;

/** `refoundry compare A B` */
export function compare(this: CliContext, flags: CompareFlags, left: string, right: string): Promise<void> {
  return runCommand(this, flags, async () => {
    const required = flags.require ?? "explained";
    if (!ladder.some((level) => level === required))
      throw usageError(`--require takes a level, and got ${required}`, { hint: `levels are ${ladder.join(", ")}` });
    const registry = createRegistryClient({ env: this.process.env });
    try {
      const [a, b] = [parseReference(left), parseReference(right)];
      const sides = [
        await resolveReference(a, registry, this.signal),
        await resolveReference(b, registry, this.signal),
      ] as const;
      const comparison = await compareImages(
        { ...sides[0], name: left },
        { ...sides[1], name: right },
        { signal: this.signal },
      );
      return {
        text: summariseComparison(comparison).join("\n"),
        document: comparison,
        exitCode: reaches(comparison, required) ? 0 : 1,
      };
    } finally {
      await registry.close();
    }
  });
}

function reaches(comparison: Comparison, required: string): boolean {
  const rank = (level: string): number => ladder.findIndex((item) => item === level);
  return comparison.level !== "different" && rank(comparison.level) <= rank(required);
}
