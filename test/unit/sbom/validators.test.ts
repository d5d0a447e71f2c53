import { Spec, Validation } from "@cyclonedx/cyclonedx-library";
import { PackageURL } from "packageurl-js";
import { describe, expect, test } from "vitest";
import { renderCycloneDx } from "../../../src/sbom/cyclonedx.ts";
import { apkPurl, debPurl, gitPurl, goPurl, ociPurl } from "../../../src/sbom/purl.ts";
import { hex, importedBill, sampleBill } from "./bills.ts";

describe("the CycloneDX project's validator", () => {
  const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);

  test.each([
    ["a bill with something of everything", sampleBill],
    ["one of an imported source, with gaps", importedBill],
    ["one of an empty image", { ...sampleBill, packages: [], programs: [], toolchainPackages: [] }],
  ])("accepts %s", async (_, bill) => {
    expect(await validator.validate(renderCycloneDx(bill))).toBeNull();
  });

  test("refuses a field that no component has", async () => {
    const text = renderCycloneDx(sampleBill).replace('"bom-ref":"image"', '"bom-ref":"image","nonsense":1');
    expect(await validator.validate(text)).not.toBeNull();
  });
});

test("the purl project's parser reads back what was written", () => {
  const distribution = { id: "Debian", label: "debian-13", name: "Debian" };
  const deb = PackageURL.fromString(debPurl("libstdc++6", "1:2.3+b1~rc1", "amd64", distribution));
  expect({ ...deb }).toMatchObject({
    ...{ type: "deb", namespace: "debian", name: "libstdc++6", version: "1:2.3+b1~rc1" },
    qualifiers: { arch: "amd64", distro: "debian-13" },
  });
  expect({ ...PackageURL.fromString(apkPurl("a b/c@d?e#f%", "1&2=3", "x86_64", distribution)) }).toMatchObject({
    ...{ type: "apk", name: "a b/c@d?e#f%", version: "1&2=3" },
  });
  expect({ ...PackageURL.fromString(goPurl("github.com/BurntSushi/toml", "v1.0.0+incompatible")) }).toMatchObject({
    ...{ type: "golang", namespace: "github.com/burntsushi", name: "toml", version: "v1.0.0+incompatible" },
  });
  const digest = `sha256:${hex("x")}` as const;
  expect({ ...PackageURL.fromString(ociPurl("app", digest, { tag: "1" })) }).toMatchObject({
    ...{ type: "oci", name: "app", version: digest, qualifiers: { tag: "1" } },
  });
  const commit = "1".repeat(40);
  expect({ ...PackageURL.fromString(gitPurl("app", new URL("https://code.example/app"), commit)) }).toMatchObject({
    ...{ type: "generic", name: "app", version: commit },
    qualifiers: { vcs_url: `git+https://code.example/app@${commit}` },
  });
  expect(gitPurl("app", new URL("https://github.com/Krallin/Tini.git"), commit)).toBe(
    `pkg:github/krallin/tini@${commit}`,
  );
});
