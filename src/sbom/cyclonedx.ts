import { hash } from "node:crypto";
import { canonicalJson } from "../json.ts";
import { configTime } from "../oci/manifest.ts";
import { version as toolVersion } from "../version.ts";
import { documentNamespace, orderBill, publicRepository, uuidOf } from "./identity.ts";
import { gitPurl, ociPurl } from "./purl.ts";
import type { BillPackage, BillProgram, ImageBill, Licence, PinnedFile } from "./types.ts";

/** A component of CycloneDX 1.6, as far as it is used here. */
interface CycloneComponent {
  readonly "bom-ref": string;
  readonly type: string;
  readonly name: string;
  readonly [field: string]: unknown;
}

const imageRef = "image";

/**
 * An image's bill as CycloneDX 1.6 JSON. Pure: the same bill, in whatever order its lists
 * are, gives the same bytes. What the build used stands under `formulation` with the scope
 * `excluded`, so that nobody takes it for a part of the image.
 */
export function renderCycloneDx(unordered: ImageBill): string {
  const bill = orderBill(unordered);
  const programs = bill.programs.map(programComponent);
  const packages = bill.packages.map((found) => packageComponent(found, "package"));
  const inputs = [
    sourceComponent(bill),
    ...(bill.source.debian?.files ?? []).map((file) => fileComponent(file, "source-file")),
    contextComponent(bill),
    toolchainComponent(bill),
    ...bill.toolchainPackages.map((used) => ({ ...packageComponent(used, "build"), scope: "excluded" })),
  ];
  return canonicalJson({
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${uuidOf(documentNamespace(bill, `refoundry-${toolVersion}`))}`,
    version: 1,
    metadata: {
      timestamp: configTime(bill.createdEpoch),
      lifecycles: [{ phase: "post-build" }],
      tools: { components: [{ type: "application", name: "refoundry", version: toolVersion }] },
      component: imageComponent(bill),
    },
    components: [...programs, ...packages],
    dependencies: dependencies(bill, programs, packages),
    // what no package owns is listed as far as it is a program, so nobody can call the list complete
    compositions: [{ aggregate: bill.gaps.length > 0 ? "incomplete" : "unknown", assemblies: [imageRef] }],
    formulation: [{ "bom-ref": "formula", components: inputs, workflows: [workflow(inputs)] }],
  });
}

function imageComponent(bill: ImageBill): CycloneComponent {
  const { name, version, platform, digest } = bill.image;
  const { commit } = bill.source;
  const repository = publicRepository(bill.source.origin);
  return {
    "bom-ref": imageRef,
    type: "container",
    name,
    version,
    purl: ociPurl(name, digest, { arch: platform.split("/")[1] ?? "", tag: version }),
    hashes: [sha256(digest)],
    ...(repository && { externalReferences: [{ type: "vcs", url: repository.href }] }),
    pedigree: {
      // a commit that we made by importing a package is in nobody else's repository
      commits: [{ uid: commit, ...(repository && !bill.source.debian && { url: repository.href }) }],
      variants: [upstreamComponent(bill)],
    },
    properties: properties({ platform, digest, gap: bill.gaps }),
  };
}

function packageComponent(found: BillPackage, role: string): CycloneComponent {
  const { name, version, purl, licence, supplier, source } = found;
  return {
    "bom-ref": reference(role, name, found),
    type: "library",
    name,
    ...(version !== "" && { version }),
    purl,
    ...(supplier !== undefined && { supplier: { name: supplier } }),
    ...licences(licence),
    ...(found.sha256 !== undefined && { hashes: [sha256(found.sha256)] }),
    ...(source?.purl !== undefined && {
      pedigree: { ancestors: [{ type: "library", name: source.name, version: source.version, purl: source.purl }] },
    }),
    ...(source || found.programs.length > 0
      ? {
          properties: properties({ source: source ? `${source.name} ${source.version}` : "", program: found.programs }),
        }
      : {}),
  };
}

function programComponent(program: BillProgram): CycloneComponent {
  return {
    "bom-ref": reference("program", program.path, program),
    type: "file",
    name: program.path,
    hashes: [sha256(program.sha256)],
  };
}

function fileComponent(file: PinnedFile, role: string): CycloneComponent {
  const { name } = file;
  return {
    "bom-ref": reference(role, name, file),
    type: "file",
    name,
    scope: "excluded",
    hashes: [sha256(file.sha256)],
  };
}

function sourceComponent({ source }: ImageBill): CycloneComponent {
  const { name, version, commit, tree, archive, debian, licence } = source;
  const repository = publicRepository(source.origin);
  const purl = debian ? debian.purl : repository && gitPurl(name, repository, commit);
  return {
    "bom-ref": "source",
    type: "application",
    name,
    version: debian?.version ?? version,
    scope: "excluded",
    ...licences(licence),
    ...(purl !== undefined && { purl }),
    swhid: [`swh:1:dir:${tree}`, `swh:1:rev:${commit}`],
    hashes: [sha256(archive)],
    ...(repository && { externalReferences: [{ type: "vcs", url: repository.href }] }),
    properties: properties({ commit, tree, archive }),
  };
}

function contextComponent({ context }: ImageBill): CycloneComponent {
  return {
    "bom-ref": "build-context",
    type: "file",
    name: context.dockerfile,
    scope: "excluded",
    hashes: [sha256(context.digest)],
  };
}

function toolchainComponent({ toolchain: { name, version, digest } }: ImageBill): CycloneComponent {
  return {
    "bom-ref": "toolchain",
    type: "container",
    name,
    ...(version !== "" && { version }),
    scope: "excluded",
    purl: ociPurl(name, digest),
    hashes: [sha256(digest)],
  };
}

function upstreamComponent({ upstream, image: { version } }: ImageBill): CycloneComponent {
  return {
    "bom-ref": "upstream",
    type: "container",
    name: upstream.name,
    version,
    hashes: [sha256(upstream.manifest ?? upstream.digest)],
    ...(upstream.files.length > 0 && {
      components: upstream.files.map((file) => fileComponent(file, "upstream-file")),
    }),
    properties: properties({ digest: upstream.digest, compared: upstream.manifest === undefined ? "no" : "yes" }),
  };
}

/** The image on everything in it, and Go programs on their modules. */
function dependencies(
  bill: ImageBill,
  programs: readonly CycloneComponent[],
  packages: readonly CycloneComponent[],
): readonly unknown[] {
  const modules = new Map<string, string[]>();
  for (const [position, { programs: paths }] of bill.packages.entries()) {
    for (const path of paths) {
      const known = modules.get(path) ?? [];
      known.push(packages[position]?.["bom-ref"] ?? "");
      modules.set(path, known);
    }
  }
  const refs = [...programs, ...packages].map((component) => component["bom-ref"]);
  return [
    { ref: imageRef, dependsOn: refs },
    ...programs.map((program) => ({ ref: program["bom-ref"], dependsOn: modules.get(program.name) ?? [] })),
    ...packages.map((item) => ({ ref: item["bom-ref"] })),
  ];
}

function workflow(inputs: readonly CycloneComponent[]): Readonly<Record<string, unknown>> {
  const resources = inputs.map((input) => ({ resource: { ref: input["bom-ref"] } }));
  return {
    "bom-ref": "build",
    uid: "build",
    taskTypes: ["build"],
    inputs: resources,
    outputs: [{ type: "artifact", resource: { ref: imageRef } }],
  };
}

function licences(licence: Licence | undefined): Readonly<Record<string, unknown>> {
  if (!licence) return {};
  const isExpression = "expression" in licence;
  return {
    licenses: [isExpression ? { expression: licence.expression } : { license: { name: licence.name } }],
  };
}

function sha256(digest: string): { readonly alg: string; readonly content: string } {
  return { alg: "SHA-256", content: digest.replace(/^sha256:/, "") };
}

/** Properties by name and value; what is empty is left out. */
function properties(values: Readonly<Record<string, string | readonly string[]>>): readonly unknown[] {
  return Object.entries(values).flatMap(([name, value]) =>
    (typeof value === "string" ? [value] : value)
      .filter((text) => text !== "")
      .map((text) => ({ name: `refoundry:${name}`, value: text })),
  );
}

/** Readable, and another one for everything that differs. */
function reference(role: string, name: string, item: BillPackage | BillProgram | PinnedFile): string {
  return `${role}:${name.slice(0, 100).toWellFormed()}:${hash("sha256", canonicalJson(item), "hex").slice(0, 24)}`;
}
