import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "../../../src/json.ts";
import { renderCycloneDx } from "../../../src/sbom/cyclonedx.ts";
import { uuidOf } from "../../../src/sbom/identity.ts";
import { renderSpdx } from "../../../src/sbom/spdx.ts";
import type { BillPackage, ImageBill } from "../../../src/sbom/types.ts";
import { hex, importedBill, sampleBill } from "./bills.ts";
import { type SpdxDocument, spdxRules } from "./spdx-rules.ts";

const spdxOf = (bill: ImageBill): SpdxDocument => spdxRules.parse(JSON.parse(renderSpdx(bill)));

/** Relations as `name TYPE name`. */
function relationsOf({ packages, relationships }: SpdxDocument): string[] {
  const names = new Map(packages.map(({ SPDXID, name }) => [SPDXID, name]));
  const nameOf = (id: string): string => names.get(id) ?? id;
  return relationships.map(
    ({ spdxElementId, relationshipType, relatedSpdxElement }) =>
      `${nameOf(spdxElementId)} ${relationshipType} ${nameOf(relatedSpdxElement)}`,
  );
}

interface Component {
  readonly "bom-ref": string;
  readonly name: string;
  readonly scope?: string;
  readonly purl?: string;
  readonly licenses?: unknown;
}
interface CycloneDocument {
  readonly serialNumber: string;
  readonly metadata: { readonly timestamp: string; readonly component: Component };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
  readonly compositions: readonly { readonly aggregate: string }[];
  readonly formulation: readonly [
    {
      readonly components: readonly Component[];
      readonly workflows: readonly { readonly inputs: readonly { readonly resource: { readonly ref: string } }[] }[];
    },
  ];
}
const cycloneOf = (bill: ImageBill): CycloneDocument => JSON.parse(renderCycloneDx(bill)) as CycloneDocument;

/** Every list of a bill in another order, and its entries twice. */
function shuffled(bill: ImageBill, order: (index: number) => number): ImageBill {
  const mix = <T>(items: readonly T[]): T[] =>
    [...items, ...items]
      .map((item, index) => ({ item, key: order(index) }))
      .sort((a, b) => a.key - b.key)
      .map(({ item }) => item);
  const { source, upstream } = bill;
  return {
    ...bill,
    packages: mix(bill.packages),
    programs: mix(bill.programs),
    gaps: mix(bill.gaps),
    toolchainPackages: mix(bill.toolchainPackages),
    source: source.debian ? { ...source, debian: { ...source.debian, files: mix(source.debian.files) } } : source,
    upstream: { ...upstream, files: mix(upstream.files) },
  };
}

const anyPackage: fc.Arbitrary<BillPackage> = fc.record({
  type: fc.constantFrom("deb" as const, "apk" as const, "golang" as const),
  name: fc.string({ unit: "binary", minLength: 1, maxLength: 200 }),
  version: fc.string({ maxLength: 50 }),
  architecture: fc.string({ maxLength: 10 }),
  purl: fc.string({ minLength: 1 }).map((text) => `pkg:deb/debian/${encodeURIComponent(text)}`),
  programs: fc.array(fc.constantFrom("/usr/bin/tool", "/elsewhere"), { maxLength: 2 }),
});

describe("both formats", () => {
  test("are the same bytes for the same bill, whatever the order of its lists", () => {
    const keys = fc.array(fc.nat(), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(
        fc.array(anyPackage, { maxLength: 20 }),
        keys,
        fc.constantFrom(sampleBill, importedBill),
        (found, order, base) => {
          const bill = {
            ...base,
            packages: [...base.packages, ...found],
            toolchainPackages: [...base.toolchainPackages, ...found],
          };
          const other = shuffled(bill, (index) => order[index % order.length] ?? 0);
          expect(renderSpdx(other)).toBe(renderSpdx(bill));
          expect(renderCycloneDx(other)).toBe(renderCycloneDx(bill));
        },
      ),
      { numRuns: 100 },
    );
  });

  test("name everything once and nothing that is not there, whatever packages are called", () => {
    fc.assert(
      fc.property(fc.array(anyPackage, { maxLength: 20 }), (found) => {
        const bill = { ...sampleBill, packages: found, toolchainPackages: found };
        spdxOf(bill);
        const { components, formulation, dependencies } = cycloneOf(bill);
        const refs = [...components, ...formulation[0].components].map((component) => component["bom-ref"]);
        expect(new Set(refs).size).toBe(refs.length);
        const known = new Set(["image", ...refs]);
        expect(
          dependencies.flatMap(({ ref, dependsOn = [] }) => [ref, ...dependsOn]).filter((ref) => !known.has(ref)),
        ).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  test("are canonical JSON, and say when the image was made and not when they were", () => {
    for (const text of [renderSpdx(sampleBill), renderCycloneDx(importedBill)]) {
      expect(text).toBe(canonicalJson(JSON.parse(text)));
      expect(text).toContain("2020-09-16T14:40:23Z");
    }
  });

  test("have a name of their own for every image, and for every bill of one image", () => {
    const others: ImageBill[] = [
      sampleBill,
      importedBill,
      { ...sampleBill, image: { ...sampleBill.image, digest: `sha256:${hex("another")}` } },
      { ...sampleBill, toolchain: { ...sampleBill.toolchain, digest: `sha256:${hex("another")}` } },
    ];
    expect(new Set(others.map((bill) => spdxOf(bill).documentNamespace)).size).toBe(others.length);
    expect(new Set(others.map((bill) => cycloneOf(bill).serialNumber)).size).toBe(others.length);
    expect(cycloneOf(sampleBill).serialNumber).toMatch(
      /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    // as other implementations have it
    expect(uuidOf("http://www.example.com/")).toBe("fcde3c85-2270-590f-9e7c-ee003d65e0e2");
  });
});

describe("SPDX", () => {
  test("contains what is in the image, and relates what the build used as that", () => {
    const document = spdxOf(sampleBill);
    expect(document.documentDescribes).toEqual(["SPDXRef-Image"]);
    expect(relationsOf(document).toSorted()).toEqual(
      [
        "SPDXRef-DOCUMENT DESCRIBES app",
        ...["libc6", "musl", "example.com/tool", "stdlib", "/usr/bin/tool", "/app ö/run"].map(
          (name) => `app CONTAINS ${name}`,
        ),
        ...["/usr/bin/tool STATIC_LINK example.com/tool", "/usr/bin/tool STATIC_LINK stdlib"],
        ...["app GENERATED_FROM app", "app GENERATED_FROM Dockerfile", "debian-c BUILD_TOOL_OF app"],
        ...["gcc BUILD_DEPENDENCY_OF app", "g++ BUILD_DEPENDENCY_OF app", "app OTHER registry.example/app"],
        "registry.example/app EXPANDED_FROM_ARCHIVE app_1.2.3_arm64.deb",
      ].toSorted(),
    );
  });

  test("gives purls, checksums, licences and where the source is", () => {
    const { packages } = spdxOf(sampleBill);
    const find = (id: RegExp) => packages.find(({ SPDXID }) => id.test(SPDXID));
    expect(find(/^SPDXRef-Image$/)).toMatchObject({
      ...{ versionInfo: "1.2.3", primaryPackagePurpose: "CONTAINER", comment: "for linux/arm64" },
      checksums: [{ algorithm: "SHA256", checksumValue: hex("manifest") }],
      externalRefs: [{ referenceLocator: `pkg:oci/app@sha256:${hex("manifest")}?arch=arm64&tag=1.2.3` }],
    });
    expect(find(/-Package-libc6-/)).toMatchObject({
      ...{ licenseDeclared: "LGPL-2.1-or-later AND MIT", licenseConcluded: "NOASSERTION" },
      ...{ sourceInfo: "built package from: glibc 2.41-12", supplier: "Organization: Debian GNU/Linux" },
    });
    expect(find(/-Package-musl-/)).toMatchObject({
      ...{ licenseDeclared: "NOASSERTION", licenseComments: "declared as a licence of its own" },
    });
    expect(find(/-Build-gcc-/)?.checksums).toEqual([{ algorithm: "SHA256", checksumValue: hex("gcc") }]);
    expect(find(/^SPDXRef-Source$/)).toMatchObject({
      ...{ downloadLocation: `git+https://code.example/team/app.git@${"1".repeat(40)}`, licenseDeclared: "MIT" },
      checksums: [{ checksumValue: hex("archive") }],
    });
  });

  test("sends nobody to upstream's repository for a commit that we made, nor to a folder or with a password", () => {
    const source = (bill: ImageBill) => spdxOf(bill).packages.find(({ SPDXID }) => SPDXID === "SPDXRef-Source");
    expect(source(importedBill)).toMatchObject({
      downloadLocation: "NOASSERTION",
      homepage: "https://code.example/team/app.git",
    });
    const from = (origin: string): ImageBill => ({ ...sampleBill, source: { ...sampleBill.source, origin } });
    for (const origin of ["/srv/app", "file:///srv/app", "git@code.example:app.git"]) {
      expect(source(from(origin))?.downloadLocation).toBe("NOASSERTION");
      expect(renderSpdx(from(origin)) + renderCycloneDx(from(origin))).not.toContain(origin);
    }
    const secret = from("https://user:secret@code.example/app.git");
    expect(renderSpdx(secret) + renderCycloneDx(secret)).not.toMatch(/secret|user/);
  });

  test("says what could not be read, and that upstream has no such image", () => {
    const { comment, relationships } = spdxOf(importedBill);
    expect(comment).toBe("This list is incomplete: /var/lib/dpkg/status is no list of Debian packages.");
    expect(relationships.find(({ relationshipType }) => relationshipType === "OTHER")?.comment).toContain(
      "no image for linux/riscv64",
    );
  });
});

describe("CycloneDX", () => {
  test("has nothing under its components that the build only used", () => {
    const { components, formulation, metadata } = cycloneOf(sampleBill);
    expect(metadata.component).toMatchObject({ "bom-ref": "image", name: "app", type: "container" });
    expect(components.map(({ name }) => name)).toEqual([
      "/app ö/run",
      "/usr/bin/tool",
      "musl",
      "libc6",
      "example.com/tool",
      "stdlib",
    ]);
    const [{ components: used, workflows }] = formulation;
    expect(used.map(({ name, scope }) => `${name} ${scope}`)).toEqual(
      ["app", "Dockerfile", "debian-c", "g++", "gcc"].map((name) => `${name} excluded`),
    );
    expect(workflows[0]?.inputs.map(({ resource }) => resource.ref)).toEqual(used.map((item) => item["bom-ref"]));
  });

  test("says how the parts depend on each other, and whether the list is known to be incomplete", () => {
    const { components, dependencies, compositions } = cycloneOf(sampleBill);
    const names = new Map(components.map((component) => [component["bom-ref"], component.name]));
    expect(dependencies[0]?.dependsOn).toHaveLength(components.length);
    const tool = dependencies.find(({ ref }) => names.get(ref) === "/usr/bin/tool");
    expect(tool?.dependsOn?.map((ref) => names.get(ref))).toEqual(["example.com/tool", "stdlib"]);
    expect(compositions).toMatchObject([{ aggregate: "unknown" }]);
    expect(cycloneOf(importedBill).compositions).toMatchObject([{ aggregate: "incomplete" }]);
  });

  test("has licences as expressions, and as names where they are none", () => {
    const licences = cycloneOf(sampleBill).components.flatMap(({ licenses }) =>
      licenses === undefined ? [] : [licenses],
    );
    expect(licences).toEqual([
      [{ license: { name: "a licence of its own" } }],
      [{ expression: "LGPL-2.1-or-later AND MIT" }],
    ]);
  });
});

test("a bill does not grow with what could not be read", () => {
  const gaps = Array.from({ length: 5000 }, (_, index) => `/file-${index} is too large to be read`);
  const { comment = "" } = spdxOf({ ...sampleBill, gaps });
  expect(comment).toContain("and 4900 more like these");
  expect(comment.length).toBeLessThan(10_000);
});
