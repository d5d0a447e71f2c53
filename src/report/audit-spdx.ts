import { createHash, hash } from "node:crypto";
import type { AuditEntry } from "../audit/inventory.ts";
import { canonicalJson } from "../json.ts";
import { hexOf } from "../oci/digest.ts";

const unknown = "NOASSERTION";

/**
 * Every input of all releases as one SPDX 2.3 document, in pieces: a package for each,
 * related to the releases that need it. The same inputs and time give the same bytes.
 */
export function* renderAuditSpdx(entries: readonly AuditEntry[], created: string): Generator<string> {
  const ids = entries.map((entry) => `SPDXRef-Input-${identityOf(entry)}`);
  const needing = new Set(entries.flatMap(({ neededBy }) => neededBy));
  const releases = new Map([...needing].toSorted().map((release) => [release, `SPDXRef-Release-${idOf(release)}`]));
  const body = (): Generator<string> => bodyOf(entries, ids, releases);
  const digest = createHash("sha256").update("{");
  for (const piece of body()) digest.update(piece);
  const head = canonicalJson({
    SPDXID: "SPDXRef-DOCUMENT",
    creationInfo: { created, creators: ["Tool: refoundry"] },
    dataLicense: "CC0-1.0",
    documentNamespace: `https://refoundry.dev/spdx/audit/${digest.update("}").digest("hex")}`,
    name: "inputs of all releases",
  });
  // in canonical order its members come before those of the body, and the version after them
  yield `${head.slice(0, -1)},`;
  yield* body();
  yield `,${canonicalJson({ spdxVersion: "SPDX-2.3" }).slice(1)}`;
}

/** The members `packages` and `relationships` in canonical JSON. */
function* bodyOf(
  entries: readonly AuditEntry[],
  ids: readonly string[],
  releases: ReadonlyMap<string, string>,
): Generator<string> {
  yield '"packages":[';
  yield* separated(packagesOf(entries, ids, releases));
  yield '],"relationships":[';
  yield* separated(relationshipsOf(entries, ids, releases));
  yield "]";
}

function* separated(items: Iterable<object>): Generator<string> {
  let separator = "";
  for (const item of items) {
    yield separator + canonicalJson(item);
    separator = ",";
  }
}

function* packagesOf(
  entries: readonly AuditEntry[],
  ids: readonly string[],
  releases: ReadonlyMap<string, string>,
): Generator<object> {
  for (const [name, id] of releases) yield { ...nothingSaid, SPDXID: id, name, licenseDeclared: unknown };
  for (const [index, entry] of entries.entries()) {
    yield {
      ...nothingSaid,
      SPDXID: ids[index],
      name: entry.name,
      ...(entry.version !== "" && { versionInfo: entry.version }),
      licenseDeclared: entry.licence ?? unknown,
      comment: `${entry.kind}; ${entry.held ? `held in ${entry.held.where}` : "not held"}`,
      ...(entry.digest !== undefined && {
        checksums: [{ algorithm: "SHA256", checksumValue: hexOf(entry.digest) }],
      }),
      ...(entry.commit !== undefined && { checksums: [{ algorithm: "SHA1", checksumValue: entry.commit }] }),
    };
  }
}

const nothingSaid = {
  downloadLocation: unknown,
  filesAnalyzed: false,
  licenseConcluded: unknown,
  copyrightText: unknown,
} as const;

function* relationshipsOf(
  entries: readonly AuditEntry[],
  ids: readonly string[],
  releases: ReadonlyMap<string, string>,
): Generator<object> {
  for (const id of releases.values()) yield relate("SPDXRef-DOCUMENT", "DESCRIBES", id);
  for (const [index, { neededBy }] of entries.entries())
    for (const release of neededBy) yield relate(ids[index] ?? "", "BUILD_DEPENDENCY_OF", releases.get(release) ?? "");
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
