import type { Artifact } from "../attest/attach.ts";
import { canonicalJson } from "../json.ts";
import { type Digest, digestOf } from "../oci/digest.ts";
import { platformSlug } from "../oci/platform.ts";
import { type Outcome, type PlatformOutcome, withoutLogs } from "../outcome.ts";
import type { ReleaseEntry } from "../publish/release-index.ts";
import { renderReportPage } from "../report/html/page.ts";
import { renderCycloneDx } from "../sbom/cyclonedx.ts";
import { describeImage } from "../sbom/image-bill.ts";
import { renderSpdx } from "../sbom/spdx.ts";
import type { Factory, ReleaseInputs } from "./types.ts";

/** What a rebuild found, without when and how fast: artifacts of equal claims say the same. */
function claimOf(outcome: Outcome, platforms: readonly PlatformOutcome[]): string {
  const found = platforms.map(({ platform, manifest, rebuilt, buildKey, verdict, level, unexplained }) => {
    return { platform, manifest, rebuilt, buildKey, verdict, level, unexplained };
  });
  return digestOf(canonicalJson({ recipe: outcome.recipe, version: outcome.version, found }));
}

/** What is in an image and what it was made from, in both formats that are asked for. */
export async function billsOf(
  { descriptor: manifest, platform }: ReleaseEntry,
  inputs: ReleaseInputs,
  outcome: Outcome,
  { store, signal }: Factory,
): Promise<Artifact[]> {
  const contextDigest = outcome.inputs.find(({ kind }) => kind === "dockerfile")?.digest as Digest;
  const bill = await describeImage({ reader: store.blobs, manifest, platform, inputs, contextDigest, signal });
  const artifact = (artifactType: string, title: string, text: string): Artifact => {
    const bytes = Buffer.from(text);
    return { artifactType, title, bytes, claim: digestOf(bytes) };
  };
  return [
    artifact("application/spdx+json", "sbom.spdx.json", renderSpdx(bill)),
    artifact("application/vnd.cyclonedx+json", "sbom.cdx.json", renderCycloneDx(bill)),
  ];
}

/** The log of a platform's build. */
export function buildLogOf(outcome: Outcome, platform: PlatformOutcome): Artifact[] {
  const claim = claimOf(outcome, [platform]);
  const { log } = platform;
  if (log === undefined || log === "") return [];
  const title = `build-${platformSlug(platform.platform)}.log`;
  return [{ artifactType: "text/plain", title, bytes: Buffer.from(log), claim }];
}

/** What people and programs read of a release. */
export function reportsOf(outcome: Outcome): Artifact[] {
  const claim = claimOf(outcome, outcome.platforms);
  const document = `${JSON.stringify(withoutLogs(outcome), null, 2)}\n`;
  return [
    { artifactType: "text/html", title: "report.html", bytes: Buffer.from(renderReportPage(outcome)), claim },
    {
      artifactType: "application/vnd.refoundry.outcome.v1+json",
      title: "outcome.json",
      bytes: Buffer.from(document),
      claim,
    },
  ];
}
