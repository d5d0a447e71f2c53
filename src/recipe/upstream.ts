import type { Recipe } from "./schema.ts";

/** How a recipe describes an upstream put together from Debian's binaries. */
export type DebianUpstream = Extract<Recipe["upstream"], { debian: unknown }>["debian"];

/** The packages that an upstream is put together from, in the recipe's order. */
export function packagesOfUpstream({ package: only, packages }: DebianUpstream): readonly string[] {
  return packages ?? (only === undefined ? [] : [only]);
}

/** What an upstream is called in outcomes and reports. */
export function upstreamName(upstream: Recipe["upstream"]): string {
  if ("image" in upstream) return upstream.image;
  if ("none" in upstream) return "none";
  const packages = packagesOfUpstream(upstream.debian);
  return `Debian package${packages.length === 1 ? "" : "s"} ${packages.join(", ")}`;
}
