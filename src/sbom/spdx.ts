import { hash } from "node:crypto";
import { canonicalJson } from "../json.ts";
import { configTime } from "../oci/manifest.ts";
import { version as toolVersion } from "../version.ts";
import { documentNamespace, orderBill, publicRepository } from "./identity.ts";
import { gitLocation, gitPurl, ociPurl } from "./purl.ts";
import type { BillPackage, BillProgram, ImageBill, Licence, PinnedFile } from "./types.ts";

/** A package of SPDX 2.3, as far as it is used here. */
interface SpdxPackage {
  readonly SPDXID: string;
  readonly name: string;
  readonly downloadLocation: string;
  readonly filesAnalyzed: false;
  readonly licenseConcluded: string;
  readonly licenseDeclared: string;
  readonly copyrightText: string;
  readonly [field: string]: unknown;
}

interface SpdxRelationship {
  readonly spdxElementId: string;
  readonly relationshipType: string;
  readonly relatedSpdxElement: string;
  readonly comment?: string;
}

const document = "SPDXRef-DOCUMENT";
const image = "SPDXRef-Image";
const creator = `refoundry-${toolVersion}`;
const unknown = "NOASSERTION";

/**
 * An image's bill as SPDX 2.3 JSON. Pure: the same bill, in whatever order its lists are,
 * gives the same bytes. What the build used is related as a build tool or dependency of
 * the image and never as something that it contains.
 */
export function renderSpdx(unordered: ImageBill): string {
  const bill = orderBill(unordered);
  const packages: SpdxPackage[] = [imagePackage(bill)];
  const relationships: SpdxRelationship[] = [relate(document, "DESCRIBES", image)];
  const add = (item: SpdxPackage, relationship: SpdxRelationship): void => {
    packages.push(item);
    relationships.push(relationship);
  };
  const programs = new Map<string, string>();
  for (const program of bill.programs) {
    const item = programPackage(program);
    programs.set(program.path, item.SPDXID);
    add(item, relate(image, "CONTAINS", item.SPDXID));
  }
  for (const found of bill.packages) {
    const item = packageOf(found, "Package");
    add(item, relate(image, "CONTAINS", item.SPDXID));
    for (const path of found.programs) {
      const program = programs.get(path);
      if (program !== undefined) relationships.push(relate(program, "STATIC_LINK", item.SPDXID));
    }
  }
  const source = sourcePackage(bill);
  add(source, relate(image, "GENERATED_FROM", source.SPDXID));
  for (const file of bill.source.debian?.files ?? []) {
    const item = filePackage(file, "SourceFile", "ARCHIVE");
    add(item, relate(source.SPDXID, "EXPANDED_FROM_ARCHIVE", item.SPDXID));
  }
  const context = contextPackage(bill);
  add(context, relate(image, "GENERATED_FROM", context.SPDXID));
  const toolchain = toolchainPackage(bill);
  add(toolchain, relate(toolchain.SPDXID, "BUILD_TOOL_OF", image));
  for (const used of bill.toolchainPackages) {
    const item = packageOf(used, "Build");
    add(item, relate(item.SPDXID, "BUILD_DEPENDENCY_OF", image));
  }
  const upstream = upstreamPackage(bill);
  add(upstream, { ...relate(image, "OTHER", upstream.SPDXID), comment: comparedWith(bill) });
  for (const file of bill.upstream.files) {
    const item = filePackage(file, "UpstreamFile", "ARCHIVE");
    add(item, relate(upstream.SPDXID, "EXPANDED_FROM_ARCHIVE", item.SPDXID));
  }
  const { name, version, platform } = bill.image;
  return canonicalJson({
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: document,
    name: `${name}-${version}-${platform}`,
    documentNamespace: documentNamespace(bill, creator),
    creationInfo: { created: configTime(bill.createdEpoch), creators: [`Tool: ${creator}`] },
    ...(bill.gaps.length > 0 && { comment: `This list is incomplete: ${bill.gaps.join("; ")}.` }),
    documentDescribes: [image],
    packages,
    relationships,
  });
}

function relate(spdxElementId: string, relationshipType: string, relatedSpdxElement: string): SpdxRelationship {
  return { spdxElementId, relationshipType, relatedSpdxElement };
}

/** What every package has; nobody looked into files one by one. */
function basics(SPDXID: string, name: string, licence?: Licence): SpdxPackage {
  const declared = licence && "expression" in licence ? licence.expression : unknown;
  return {
    SPDXID,
    name,
    downloadLocation: unknown,
    filesAnalyzed: false,
    licenseConcluded: unknown,
    licenseDeclared: declared,
    copyrightText: unknown,
    ...(licence && "name" in licence && { licenseComments: `declared as ${licence.name}` }),
  };
}

function imagePackage({ image: { name, version, platform, digest }, gaps }: ImageBill): SpdxPackage {
  return {
    ...basics(image, name),
    versionInfo: version,
    primaryPackagePurpose: "CONTAINER",
    checksums: [sha256(digest)],
    comment: `for ${platform}${gaps.length > 0 ? "; not everything in it could be read" : ""}`,
    externalRefs: [purlReference(ociPurl(name, digest, { arch: platform.split("/")[1] ?? "", tag: version }))],
  };
}

function packageOf(found: BillPackage, role: string): SpdxPackage {
  const { name, version, licence, supplier, source, purl } = found;
  return {
    ...basics(identifier(role, name, found), name, licence),
    ...(version !== "" && { versionInfo: version }),
    primaryPackagePurpose: "LIBRARY",
    ...(supplier !== undefined && { supplier: `Organization: ${supplier}` }),
    ...(source && { sourceInfo: `built package from: ${source.name} ${source.version}` }),
    ...(found.sha256 !== undefined && { checksums: [sha256(found.sha256)] }),
    externalRefs: [purlReference(purl)],
  };
}

function programPackage(program: BillProgram): SpdxPackage {
  return {
    ...basics(identifier("Program", program.path, program), program.path),
    primaryPackagePurpose: "FILE",
    checksums: [sha256(program.sha256)],
  };
}

function filePackage(file: PinnedFile, role: string, purpose: string): SpdxPackage {
  return {
    ...basics(identifier(role, file.name, file), file.name),
    packageFileName: file.name,
    primaryPackagePurpose: purpose,
    checksums: [sha256(file.sha256)],
  };
}

function sourcePackage({ source }: ImageBill): SpdxPackage {
  const { name, version, commit, tree, archive, debian, licence } = source;
  const repository = publicRepository(source.origin);
  const isWeb = repository?.protocol.startsWith("http") === true;
  // a commit that we made by importing a package is in nobody else's repository
  const location = repository && !debian ? gitLocation(repository, commit) : unknown;
  const purl = debian ? debian.purl : repository && gitPurl(name, repository, commit);
  return {
    ...basics("SPDXRef-Source", name, licence),
    versionInfo: debian?.version ?? version,
    downloadLocation: location,
    ...(isWeb && { homepage: repository.href }),
    primaryPackagePurpose: "SOURCE",
    checksums: [sha256(archive)],
    sourceInfo: `git commit ${commit}, tree ${tree}${debian ? ", imported from a Debian source package" : ""}; the checksum is of the canonical tar of the tree`,
    externalRefs: [
      ...(purl === undefined ? [] : [purlReference(purl)]),
      { referenceCategory: "PERSISTENT-ID", referenceType: "swh", referenceLocator: `swh:1:dir:${tree}` },
      { referenceCategory: "PERSISTENT-ID", referenceType: "swh", referenceLocator: `swh:1:rev:${commit}` },
    ],
  };
}

function contextPackage({ context }: ImageBill): SpdxPackage {
  return {
    ...basics("SPDXRef-BuildContext", context.dockerfile),
    primaryPackagePurpose: "SOURCE",
    checksums: [sha256(context.digest)],
    comment: "the Dockerfile and what lies beside it; the checksum is of both as the build got them",
  };
}

function toolchainPackage({ toolchain: { name, version, digest } }: ImageBill): SpdxPackage {
  return {
    ...basics("SPDXRef-Toolchain", name),
    ...(version !== "" && { versionInfo: version }),
    primaryPackagePurpose: "CONTAINER",
    checksums: [sha256(digest)],
    comment: "the image in which the build ran",
    externalRefs: [purlReference(ociPurl(name, digest))],
  };
}

function upstreamPackage({ upstream, image: { version } }: ImageBill): SpdxPackage {
  return {
    ...basics("SPDXRef-Upstream", upstream.name),
    versionInfo: version,
    primaryPackagePurpose: "CONTAINER",
    checksums: [sha256(upstream.manifest ?? upstream.digest)],
    comment: `upstream's release has the digest ${upstream.digest}`,
  };
}

function comparedWith({ upstream, image: { platform } }: ImageBill): string {
  return upstream.manifest === undefined
    ? `upstream's release has no image for ${platform}; this one was built beside those that it has`
    : `the image was compared with upstream's for ${platform}`;
}

function sha256(digest: string): { readonly algorithm: string; readonly checksumValue: string } {
  return { algorithm: "SHA256", checksumValue: digest.replace(/^sha256:/, "") };
}

function purlReference(purl: string): Readonly<Record<string, string>> {
  return { referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: purl };
}

/** Letters, digits, `.` and `-` only (SPDX 2.3, 7.2), readable, and another one for everything that differs. */
function identifier(role: string, name: string, item: BillPackage | BillProgram | PinnedFile): string {
  const readable = name.replace(/[^A-Za-z0-9.]+/g, "-").replace(/^-|-$/g, "");
  return `SPDXRef-${role}-${readable.slice(0, 60)}-${hash("sha256", canonicalJson(item), "hex").slice(0, 24)}`;
}
