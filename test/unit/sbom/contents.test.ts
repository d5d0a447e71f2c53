import { describe, expect, test } from "vitest";
import type { TarInput } from "../../../src/oci/tar/write.ts";
import { readImagePackages } from "../../../src/sbom/components.ts";
import type { ImageContents } from "../../../src/sbom/types.ts";
import { file, link, type TestImage, testLayout, writeImage } from "../../support/images.ts";
import { elf, goProgram } from "./bills.ts";

async function read(...layers: TestImage["layers"]): Promise<ImageContents> {
  const layout = await testLayout();
  return readImagePackages(layout, await writeImage(layout, { layers }));
}

const stanza = (name: string, version: string, more = "", status = "install ok installed"): string =>
  `Package: ${name}\nStatus: ${status}\nArchitecture: amd64\nVersion: ${version}\n${more}\n`;
const status = (...stanzas: readonly string[]): TarInput => file("var/lib/dpkg/status", stanzas.join(""));
const debian = file("usr/lib/os-release", 'NAME="Debian GNU/Linux"\nID=debian\nVERSION_ID="13"\n');
const program = (path: string, bytes: Buffer): TarInput => ({
  ...file(path, ""),
  ...{ mode: 0o755, size: bytes.length, content: bytes },
});
const names = ({ packages }: ImageContents): string[] =>
  packages.map(({ name, version }) => `${name} ${version}`).toSorted();

describe("Debian packages", () => {
  test("have a purl with the distribution, and the source package they were built from", async () => {
    const { packages, gaps } = await read([
      link("etc/os-release", "../usr/lib/os-release"),
      debian,
      status(
        stanza("libstdc++6", "14.2.0-19", "Source: gcc-14\n"),
        stanza("bsdutils", "1:2.41-5", "Source: util-linux (2.41-5)\n"),
      ),
    ]);
    expect(gaps).toEqual([]);
    expect(packages).toEqual([
      expect.objectContaining({
        purl: "pkg:deb/debian/libstdc%2B%2B6@14.2.0-19?arch=amd64&distro=debian-13",
        source: {
          ...{ name: "gcc-14", version: "14.2.0-19" },
          purl: "pkg:deb/debian/gcc-14@14.2.0-19?arch=source&distro=debian-13",
        },
        supplier: "Debian GNU/Linux",
      }),
      expect.objectContaining({
        purl: "pkg:deb/debian/bsdutils@1:2.41-5?arch=amd64&distro=debian-13",
        source: expect.objectContaining({ name: "util-linux", version: "2.41-5" }),
      }),
    ]);
  });

  test("count while their files are there: on hold too, and not when only the configuration is left", async () => {
    const contents = await read([
      status(
        stanza("held", "1", "", "hold ok installed"),
        stanza("half", "1", "", "install ok half-configured"),
        stanza("gone", "1", "", "deinstall ok config-files"),
        stanza("never", "1", "", "purge ok not-installed"),
      ),
    ]);
    expect(names(contents)).toEqual(["half 1", "held 1"]);
  });

  test("of images without dpkg are read from status.d", async () => {
    const contents = await read([
      file("var/lib/dpkg/status.d/base-files", "Package: base-files\nVersion: 13\nArchitecture: amd64\n"),
      file("var/lib/dpkg/status.d/base-files.md5sums", `${"0".repeat(32)}  etc/issue\n`),
    ]);
    expect(names(contents)).toEqual(["base-files 13"]);
    expect(contents.packages[0]?.purl).toBe("pkg:deb/debian/base-files@13?arch=amd64");
  });

  test("have the licence of a simple machine-readable copyright file, and else none", async () => {
    const format = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n";
    const copyright = (name: string, text: string): TarInput => file(`usr/share/doc/${name}/copyright`, text);
    const { packages } = await read([
      status(...["a", "b", "c", "d", "e"].map((name) => stanza(name, "1"))),
      copyright(
        "a",
        `${format}Files: *\nLicense: Expat\n text\n\nFiles: x\nLicense: GPL-2+ or Artistic\n\nLicense: Expat\n all\n`,
      ),
      copyright("b", `${format}Files: *\nLicense: Expat\n\nFiles: y\nLicense: somebodys-own\n`),
      copyright("c", "This is free software.\n"),
      copyright("d", `${format}Files: *\nLicense: LGPL-2.1\n`),
    ]);
    expect(packages.map(({ licence }) => licence)).toEqual([
      { expression: "(GPL-2.0-or-later OR Artistic-1.0-Perl) AND MIT" },
      ...[undefined, undefined],
      { expression: "LGPL-2.1-only" },
      undefined,
    ]);
  });
});

describe("layers", () => {
  test("are applied: a package that the second removes is not there, nor one of a removed database", async () => {
    const first = [status(stanza("a", "1"), stanza("b", "1")), file("lib/apk/db/installed", "P:x\nV:1\nA:x86_64\n\n")];
    const second = [status(stanza("b", "2")), file("lib/apk/db/.wh.installed", "")];
    expect(names(await read(first))).toEqual(["a 1", "b 1", "x 1"]);
    expect(names(await read(first, second))).toEqual(["b 2"]);
    expect(names(await read(first, second, [file("var/lib/.wh.dpkg", "")]))).toEqual([]);
  });

  test("that do not unpack to what the config claims are refused", async () => {
    const layout = await testLayout();
    const image = await writeImage(layout, { layers: [[debian]], diffIds: [`sha256:${"0".repeat(64)}`] });
    await expect(readImagePackages(layout, image)).rejects.toThrow("and its config claims");
  });

  test("are read no further when somebody stops it", async () => {
    const layout = await testLayout();
    const image = await writeImage(layout, { layers: [[debian]] });
    await expect(readImagePackages(layout, image, AbortSignal.abort())).rejects.toThrow("interrupted");
  });
});

test("apk packages have their origin and licence", async () => {
  const { packages } = await read([
    file("etc/os-release", "ID=alpine\nVERSION_ID=3.22.0\nNAME='Alpine Linux'\n"),
    file(
      "lib/apk/db/installed",
      "P:libcrypto3\nV:3.5.0-r0\nA:x86_64\no:openssl\nL:Apache-2.0 and (mit OR X11)\n\nP:own\nV:1\nA:x86_64\nL:custom\n\n",
    ),
  ]);
  expect(packages).toEqual([
    {
      ...{ type: "apk", name: "libcrypto3", version: "3.5.0-r0", architecture: "x86_64", programs: [] },
      purl: "pkg:apk/alpine/libcrypto3@3.5.0-r0?arch=x86_64&distro=alpine-3.22.0",
      source: { name: "openssl", version: "3.5.0-r0" },
      licence: { expression: "Apache-2.0 AND (MIT OR X11)" },
      supplier: "Alpine Linux",
    },
    expect.objectContaining({ name: "own", licence: { name: "custom" } }),
  ]);
});

describe("programs", () => {
  const lines = [
    "path\texample.com/Tool/cmd",
    "mod\texample.com/Tool\t(devel)\t",
    "dep\tgithub.com/BurntSushi/toml\tv1.5.0\th1:x=",
    "dep\texample.com/old\tv1.0.0\th1:x=",
    "=>\texample.com/new\tv1.1.0+incompatible\th1:x=",
    "dep\texample.com/local\tv1.0.0",
    "=>\t./local\t\t",
    "build\tvcs.revision=0",
  ];

  test("of Go name their modules, replaced ones as what they were replaced with, each once", async () => {
    const { packages, programs } = await read([
      program("bin/one", goProgram("go1.26.1", lines)),
      program("bin/two", goProgram("go1.26.1", lines.slice(0, 3))),
    ]);
    expect(programs.map(({ path }) => path)).toEqual(["/bin/one", "/bin/two"]);
    expect(packages.map(({ purl, programs: paths }) => [purl, paths.length])).toEqual([
      ["pkg:golang/stdlib@1.26.1", 2],
      ["pkg:golang/example.com/tool", 2],
      ["pkg:golang/github.com/burntsushi/toml@v1.5.0", 2],
      ["pkg:golang/example.com/new@v1.1.0%2Bincompatible", 1],
      ["pkg:golang/example.com/local@v1.0.0", 1],
    ]);
  });

  test("that no package owns are listed, owned ones are not, nor what is no program", async () => {
    const { programs } = await read([
      status(stanza("owner", "1")),
      file("var/lib/dpkg/info/owner.list", "/.\n/bin\n/bin/owned\n"),
      ...[program("usr/bin/owned", elf("owned")), program("tini", elf("tini"))],
      ...[
        program("script", Buffer.from(`#!/bin/sh\n${"#".repeat(100)}`)),
        file("not-run", elf("x").toString("latin1")),
      ],
    ]);
    expect(programs).toEqual([{ path: "/tini", sha256: expect.stringMatching(/^[0-9a-f]{64}$/), size: 128 }]);
  });

  test("with damaged build information are programs without modules", async () => {
    const whole = goProgram("go1.26.1", lines);
    const huge = Buffer.concat([elf("go"), whole.subarray(128, 160), Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 1])]);
    const { packages, programs } = await read([
      ...[program("cut", whole.subarray(0, 200)), program("huge", huge)],
      ...[program("pointers", goProgram("go1.17", lines, { flags: 0 })), program("words", goProgram("?", lines))],
    ]);
    expect(packages).toEqual([]);
    expect(programs).toHaveLength(4);
  });
});

describe("hostile databases", () => {
  test("that are no database are told, and what else there is is listed", async () => {
    const contents = await read([
      file("var/lib/dpkg/status", "\0\u0001 not a database\n"),
      file("var/lib/dpkg/status.d/two", `${stanza("a", "1")}${stanza("b", "1")}`),
      file("lib/apk/db/installed", "P:ok\nV:1\nA:x86_64\n\nV:2\n\n"),
    ]);
    expect(names(contents)).toEqual(["ok 1"]);
    expect(contents.gaps).toEqual([
      "/var/lib/dpkg/status is no list of Debian packages",
      "/var/lib/dpkg/status.d/two is no list of Debian packages",
      "/lib/apk/db/installed has a package without a name or version, or with one that is too long",
    ]);
  });

  test("that are huge are not read, or not to their end", async () => {
    const size = 65 * 1024 ** 2;
    const status: TarInput = { ...file("var/lib/dpkg/status"), size, content: Buffer.alloc(size, "\n") } as TarInput;
    expect(await read([status])).toEqual({
      ...{ packages: [], programs: [] },
      gaps: ["/var/lib/dpkg/status is too large to be read"],
    });
    const records = file("lib/apk/db/installed", "P:a\n\n".repeat(200_000));
    expect((await read([records])).gaps).toEqual(["/lib/apk/db/installed has more than 100000 packages"]);
  });

  test("with odd names give texts that do no harm", async () => {
    const bytes = Buffer.from(
      stanza("caf\xe9", "1\x1b[2J", "Source: ../../x y\n").replace("amd64", "\u202e"),
      "latin1",
    );
    const odd = { ...file("var/lib/dpkg/status"), size: bytes.length, content: bytes } as TarInput;
    const { packages } = await read([odd, file("lib/apk/db/installed", "P:a b&c?d#e/f@g\nV:1%\nA:x\n\n")]);
    expect(packages.map(({ name, purl }) => [name, purl])).toEqual([
      ["caf\ufffd", expect.stringMatching(/^pkg:deb\/debian\/caf%EF%BF%BD@1%EF%BF%BD%5B2J\?arch=/)],
      ["a b&c?d#e/f@g", "pkg:apk/alpine/a%20b%26c%3Fd%23e%2Ff%40g@1%25?arch=x"],
    ]);
    const long = await read([status(stanza("a".repeat(300), "1"))]);
    expect(long).toMatchObject({ packages: [], gaps: [expect.stringContaining("too long")] });
  });
});
