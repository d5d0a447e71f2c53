import type { Digest } from "../oci/digest.ts";

/** BuildKit's source policy (solver sourcepolicy/pb), as JSON. */
export interface SourcePolicy {
  readonly rules: readonly {
    readonly action: "DENY" | "ALLOW";
    readonly selector: { readonly identifier: string; readonly matchType: "WILDCARD" | "EXACT" };
  }[];
}

/**
 * A policy that denies every source but the local contexts and the images pinned by
 * digest: no tag, no ADD from an address, no COPY --from an image, no frontend is
 * resolved. Rules apply in order and the last that matches wins.
 */
export function sourcePolicy(pinned: readonly { readonly context: string; readonly digest: Digest }[]): SourcePolicy {
  return {
    rules: [
      { action: "DENY", selector: { identifier: "*", matchType: "WILDCARD" } },
      { action: "ALLOW", selector: { identifier: "local://*", matchType: "WILDCARD" } },
      ...pinned.map(({ context, digest }) => ({
        action: "ALLOW" as const,
        selector: { identifier: `oci-layout://docker.io/library/${context}@${digest}`, matchType: "EXACT" as const },
      })),
    ],
  };
}
