import { hash } from "node:crypto";
import type { AuditEntry } from "../audit/inventory.ts";
import { canonicalJson } from "../json.ts";
import { hexOf } from "../oci/digest.ts";

const unknown = "NOASSERTION";

/**
 * Every input of all releases as one SPDX 2.3 document: a package for each, related to the
 * releases that need it. The same inputs and time give the same bytes.
 */
export function renderAuditSpdx(entries: readonly AuditEntry[], created: string): string {
  const releases = [...new Set(entries.flatMap(({ neededBy }) => neededBy))].toSorted();
  const idOfRelease = (release: string): string => `SPDXRef-Release-${idOf(release)}`;
  const packages = entries.map((entry) => ({
    SPDXID: `SPDXRef-Input-${identityOf(entry)}`,
    name: entry.name,
    ...(entry.version !== "" && { versionInfo: entry.version }),
    downloadLocation: unknown,
    filesAnalyzed: false,
    licenseConcluded: unknown,
    licenseDeclared: entry.licence ?? unknown,
    copyrightText: unknown,
    comment: `${entry.kind}; ${entry.held ? `held in ${entry.held.where}` : "not held"}`,
    ...(entry.digest !== undefined && {
      checksums: [{ algorithm: "SHA256", checksumValue: hexOf(entry.digest) }],
    }),
    ...(entry.commit !== undefined && { checksums: [{ algorithm: "SHA1", checksumValue: entry.commit }] }),
  }));
  const images = releases.map((release) => ({
    SPDXID: idOfRelease(release),
    name: release,
    downloadLocation: unknown,
    filesAnalyzed: false,
    licenseConcluded: unknown,
    licenseDeclared: unknown,
    copyrightText: unknown,
  }));
  const relationships = [
    ...releases.map((release) => relate("SPDXRef-DOCUMENT", "DESCRIBES", idOfRelease(release))),
    ...entries.flatMap((entry) =>
      entry.neededBy.map((release) =>
        relate(`SPDXRef-Input-${identityOf(entry)}`, "BUILD_DEPENDENCY_OF", idOfRelease(release)),
      ),
    ),
  ];
  const body = { packages: [...images, ...packages], relationships };
  const digest = hash("sha256", canonicalJson(body));
  return canonicalJson({
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    name: "inputs of all releases",
    documentNamespace: `https://refoundry.dev/spdx/audit/${digest}`,
    creationInfo: { created, creators: ["Tool: refoundry"] },
    ...body,
  });
}

function relate(spdxElementId: string, relationshipType: string, relatedSpdxElement: string): object {
  return { spdxElementId, relationshipType, relatedSpdxElement };
}

function identityOf({ kind, name, version, digest, commit }: AuditEntry): string {
  return idOf(`${kind} ${digest ?? commit ?? `${name} ${version}`}`);
}

/** Letters, digits, dots and hyphens are all that an SPDX identifier may have. */
function idOf(text: string): string {
  return hash("sha256", text).slice(0, 32);
}
