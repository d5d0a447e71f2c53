import { z } from "zod";
import type { PlatformName } from "../oci/platform.ts";
import { absolutePath, line, platformList } from "./values.ts";

/**
 * Conditions that a build must not depend on, unless its recipe names them. What every build
 * varies by itself (the time, the machine's load) is not among them.
 */
export const variations = ["hostname", "path", "locale", "timezone", "umask", "cpus"] as const;

export type Variation = (typeof variations)[number];

/** A condition that a build is known to depend on: a property of what is built, so that nobody has to answer for it. */
const dependenceSchema = z.strictObject({
  by: z.enum(variations, { error: `must be one of ${variations.join(", ")}` }),
  /** Files that it may change; with `/**` at the end, all below. */
  paths: z.array(absolutePath).min(1),
  /** By default all. */
  platforms: platformList.min(1).optional(),
  reason: line,
});

/** A condition that a build is known to depend on. */
export type Dependence = z.infer<typeof dependenceSchema>;

/** Dependences, each condition once for a platform. */
export const dependenceList = z.array(dependenceSchema).superRefine((list, context) => {
  for (const [index, entry] of list.entries())
    if (list.slice(0, index).some((other) => other.by === entry.by && haveSamePlatform(other, entry)))
      context.addIssue({ code: "custom", path: [index, "by"], message: "is named twice for the same platform" });
});

/** What the build for a platform is known to depend on. */
export function dependencesFor(platform: PlatformName, all: readonly Dependence[]): Dependence[] {
  return all.filter(({ platforms }) => platforms === undefined || platforms.includes(platform));
}

function haveSamePlatform({ platforms: a }: Dependence, { platforms: b }: Dependence): boolean {
  return a === undefined || b === undefined || a.some((platform) => b.includes(platform));
}
