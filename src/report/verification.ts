import type { ImageVerification, VerifiedSubject } from "../attest/verify-image.ts";
import { plainText } from "./text.ts";

/** What a rebuild on this machine said. */
interface RebuildAgreement {
  readonly release: string;
  readonly agrees: boolean;
}

/** A verification for a terminal: whether it holds, what was built from what, and each platform in a line. */
export function renderVerification(verification: ImageVerification, rebuild?: RebuildAgreement): string {
  const { image, digest, verified, subjects } = verification;
  const provenance = subjects.find((subject) => subject.provenance)?.provenance;
  const lines = [
    `${verified ? "verified" : "NOT VERIFIED"}  ${plainText(image)}`,
    `  digest      ${digest}`,
    ...(provenance
      ? [
          `  source      ${provenance.source || "?"}`,
          `  toolchain   ${provenance.toolchain || "?"}`,
          `  recipe      ${provenance.recipe || "?"}, release ${provenance.release || "?"}`,
          `  builder     ${provenance.builder || "?"}; ${provenance.dependencies} inputs with digests`,
        ]
      : []),
    "",
    ...subjects.flatMap(describe),
    ...(rebuild
      ? ["", `rebuilt ${plainText(rebuild.release)} here: ${rebuild.agrees ? "the same digest" : "ANOTHER digest"}`]
      : []),
  ];
  return lines.join("\n");
}

function describe(subject: VerifiedSubject): string[] {
  const { platform = "index", equivalence, signedBy, problems, warnings, refused } = subject;
  const compared = equivalence
    ? `; ${equivalence.verdict} (${equivalence.against === "upstream" ? `to upstream at ${equivalence.level}` : "beside a sibling platform"})`
    : "";
  const signers = signedBy.length > 0 ? `signed by ${signedBy.join(", ")}` : "not signed";
  return [
    `  ${problems.length === 0 ? "✓" : "✗"} ${plainText(platform).padEnd(16)} ${plainText(signers)}${plainText(compared)}`,
    ...(equivalence?.against === "upstream" ? equivalence.differences : []).map(
      (difference) => `      differs: ${plainText(difference)}`,
    ),
    ...problems.map((problem) => `      ${plainText(problem)}`),
    ...warnings.map((warning) => `      note: ${plainText(warning)}`),
    ...refused.map(({ referrer, reason }) => `      not counted: ${referrer.slice(0, 19)}: ${plainText(reason)}`),
  ];
}
