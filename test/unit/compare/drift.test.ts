import { expect, describe, test } from "vitest";
import { compareImages } from "../../../src/compare/compare-images.ts";
import type { PlatformComparison } from "../../../src/compare/types.ts";
import type { TarInput } from "../../../src/oci/tar/write.ts";
import { file, link, testLayout, writeImage } from "../../support/images.ts";

async function compare(left: readonly TarInput[], right: readonly TarInput[]): Promise<PlatformComparison> {
  const layout = await testLayout();
  const [a, b] = [await writeImage(layout, { layers: [left] }), await writeImage(layout, { layers: [right] })];
  const { platforms } = await compareImages({ reader: layout, descriptor: a }, { reader: layout, descriptor: b });
  const [platform] = platforms;
  if (!platform) throw new Error("nothing was compared");
  return platform;
}

const stanza = (name: string, version: string, more = ""): string =>
  `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${version}\n${more}\n`;
const status = (...stanzas: readonly string[]): TarInput => file("var/lib/dpkg/status", stanzas.join(""));
const list = (name: string, ...paths: readonly string[]): TarInput =>
  file(`var/lib/dpkg/info/${name}.list`, ["/.", ...paths, ""].join("\n"));

/** An image with two packages, of which the first is of that version. */
function debian(version: string, library: string, ...more: readonly TarInput[]): TarInput[] {
  return [
    status(stanza("libssl3", version), stanza("base", "1")),
    list("libssl3:amd64", "/usr", "/usr/lib", "/usr/lib/libssl.so.3", "/lib/legacy.so"),
    list("base", "/usr", "/usr/lib", "/etc/base"),
    file("usr/lib/libssl.so.3", library),
    file("etc/base", "base"),
    ...more,
  ];
}

describe("a package of another version", () => {
  test("is drift, and no equality: the package is named with both versions", async () => {
    const found = await compare(debian("3.0.15", "old"), debian("3.0.16", "new"));
    expect(found).toMatchObject({ level: "drift", unexplained: 0, levels: { explained: false } });
    expect(found.packages).toEqual([{ database: "dpkg", name: "libssl3", left: "3.0.15", right: "3.0.16" }]);
    expect(
      found.differences
        .filter(({ proof }) => proof === "drift")
        .flatMap(({ paths }) => paths)
        .toSorted(),
    ).toEqual(["/usr/lib/libssl.so.3", "/var/lib/dpkg/status"]);
  });

  test("explains files that only one version has, and lists that were written before /usr was merged", async () => {
    const found = await compare(debian("1", "a"), debian("2", "a", file("usr/lib/legacy.so", "new")));
    expect(found.level).toBe("drift");
  });

  test("explains no file of another package, and none of no package", async () => {
    expect((await compare(debian("1", "a"), debian("2", "b", file("usr/lib/evil.so")))).level).toBe("different");
    const base = debian("2", "b").map((entry) => (entry.path === "etc/base" ? file("etc/base", "other") : entry));
    expect((await compare(debian("1", "a"), base)).level).toBe("different");
  });

  test("explains no mode, owner or capability", async () => {
    for (const change of [
      { mode: 0o4755 },
      { uid: 5 },
      { xattrs: new Map([["security.capability", Buffer.from("x")]]) },
    ]) {
      const right = debian("2", "b").map((entry) =>
        entry.path === "usr/lib/libssl.so.3" ? { ...entry, ...change } : entry,
      );
      expect((await compare(debian("1", "a"), right)).level).toBe("different");
    }
  });

  test("explains no other change of the database", async () => {
    const right = debian("2", "b").map((entry) =>
      entry.path === "var/lib/dpkg/status"
        ? status(stanza("libssl3", "2"), stanza("base", "1", "Essential: yes\n"))
        : entry,
    );
    expect((await compare(debian("1", "a"), right)).level).toBe("different");
  });

  test("that is listed but not installed explains nothing", async () => {
    const removed = stanza("libssl3", "2").replace("install ok installed", "deinstall ok config-files");
    const left = debian("1", "a");
    const right = debian("1", "b").map((entry) =>
      entry.path === "var/lib/dpkg/status" ? status(removed, stanza("base", "1")) : entry,
    );
    expect((await compare(left, right)).level).toBe("different");
  });
});

test("the same version with another content is no drift", async () => {
  expect((await compare(debian("1", "a"), debian("1", "b"))).level).toBe("different");
});

test("the same packages in another order are explained", async () => {
  const order = debian("1", "a").map((entry) =>
    entry.path === "var/lib/dpkg/status" ? status(stanza("base", "1"), stanza("libssl3", "1")) : entry,
  );
  expect(await compare(debian("1", "a"), order)).toMatchObject({
    level: "explained",
    normalisers: [{ class: "dpkg-status-order", version: 1 }],
  });
});

test("images without dpkg keep a record for each package", async () => {
  const image = (version: string, content: string): TarInput[] => [
    file("var/lib/dpkg/status.d/tzdata", `Package: tzdata\nVersion: ${version}\nArchitecture: all\n`),
    file("var/lib/dpkg/status.d/tzdata.md5sums", `${"0".repeat(32)}  usr/share/zoneinfo/UTC\n`),
    file("usr/share/zoneinfo/UTC", content),
  ];
  expect((await compare(image("2026a", "x"), image("2026b", "y"))).level).toBe("drift");
  expect((await compare(image("2026a", "x"), image("2026a", "y"))).level).toBe("different");
});

test("apk's database is one too", async () => {
  const image = (version: string, content: string, more = ""): TarInput[] => [
    file(
      "lib/apk/db/installed",
      `P:musl\nV:${version}\nA:x86_64\nF:lib\nR:libc.so\nF:usr\n\nP:busybox\nV:1\nA:x86_64\nF:bin\nR:busybox${more}\n\n`,
    ),
    file("lib/libc.so", content),
    link("bin/sh", "/bin/busybox"),
  ];
  expect(await compare(image("1.2.4", "a"), image("1.2.5", "b"))).toMatchObject({
    level: "drift",
    packages: [{ database: "apk", name: "musl", left: "1.2.4", right: "1.2.5" }],
  });
  expect((await compare(image("1.2.4", "a"), image("1.2.5", "b", "\na:0:0:4755"))).level).toBe("different");
});
