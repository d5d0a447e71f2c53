import type { CopyResult } from "../mirror/copy-types.ts";
import type { PlatformChange, PromotionPlan } from "../promote/plan-promotion.ts";
import { plainText } from "./text.ts";

const signs = { added: "+", removed: "-", changed: "~", same: " " } as const satisfies Readonly<
  Record<PlatformChange["change"], string>
>;

/** A promotion for a terminal: the difference it makes, then why not, what was done, or how to do it. */
export function renderPromotion(plan: PromotionPlan, copied: CopyResult | undefined): string {
  const { source, destination, digest, replaces, platforms, refusals } = plan;
  const was = replaces === undefined ? "is new" : replaces === digest ? "is this already" : `is ${replaces} now`;
  return [
    plainText(source),
    `  -> ${plainText(destination)}, which ${was}`,
    `  ${digest}`,
    "",
    ...platforms.map(describe),
    "",
    ...conclude(refusals, copied),
  ].join("\n");
}

function describe({ platform, change, from, to }: PlatformChange): string {
  const digests = change === "changed" ? `${from} -> ${to}` : (to ?? from ?? "");
  return `  ${signs[change]} ${plainText(platform).padEnd(18)} ${digests}`;
}

function conclude(refusals: readonly string[], copied: CopyResult | undefined): string[] {
  if (refusals.length > 0) return ["refused:", ...refusals.map((refusal) => `  ${plainText(refusal)}`)];
  if (!copied) return ["nothing was written: this is the plan, and --confirm carries it out"];
  const { bytesCopied, manifests, referrers } = copied;
  return [`done: ${manifests} manifests and ${referrers} referrers, ${(bytesCopied / 1e6).toFixed(1)} MB sent`];
}
