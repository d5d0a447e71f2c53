import { z } from "zod";
import { debianName, debianVersion, line, mirrorFileSchema } from "./values.ts";

/**
 * `recipes/toolchains/<name>/sources/<lock>.yaml`, written by `refoundry toolchain sources`: the
 * source packages of a lock's packages. No build reads it, so it is part of no build key.
 */
export const toolchainSourcesSchema = z.strictObject({
  sources: z
    .array(
      z.strictObject({
        name: debianName,
        version: debianVersion,
        /** An SPDX expression, where the package's copyright file gives one. */
        licence: line.optional(),
        /** Why its files are not pinned, where they are not. */
        missing: line.optional(),
      }),
    )
    .min(1),
  /** Each source package's .dsc and all that it lists, by the name and version of the source. */
  files: z.array(mirrorFileSchema.extend({ source: debianName, version: debianVersion })),
});

/** The source packages of a lock's packages. */
export type ToolchainSources = z.infer<typeof toolchainSourcesSchema>;
