import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findInSourcesIndexes } from "../../../src/debian/sources-index.ts";
import { ensureLayout } from "../../../src/oci/layout.ts";
import { type TarInput, tarEntries } from "../../../src/oci/tar/write.ts";
import { mediaTypes } from "../../../src/oci/types.ts";
import { listUsedSources } from "../../../src/toolchain/source-packages.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const status = `Package: libacl1
Status: install ok installed
Architecture: amd64
Source: acl (2.3.2-2)
Version: 2.3.2-2+b1

Package: acl-tools
Status: install ok installed
Architecture: all
Source: acl
Version: 2.3.2-2

Package: hostname
Status: install ok installed
Architecture: amd64
Version: 3.25
`;
const copyright = `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: somebody
License: GPL-2+
`;

async function imageOf(files: Readonly<Record<string, string>>) {
  const blobs = await ensureLayout(await temporaryFolder());
  const common = { uid: 0, gid: 0, mtime: 0, mode: 0o644 };
  const entries = Object.entries(files).map(([path, text]): TarInput => {
    const content = Buffer.from(text);
    return { ...common, type: "file", path, size: content.length, content };
  });
  const layer = await blobs.writeStream(tarEntries(entries));
  const config = await blobs.writeBytes("{}", mediaTypes.config);
  const layers = [{ mediaType: mediaTypes.layer, ...layer }];
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers };
  return { blobs, image: await blobs.writeBytes(JSON.stringify(manifest), mediaTypes.manifest) };
}

const pin = { path: "pool/main/x.deb", size: 1, sha256: "0".repeat(64) };
const packages = [
  { ...pin, name: "acl-tools", version: "2.3.2-2", architecture: "all" },
  { ...pin, name: "hostname", version: "3.25", architecture: "amd64" },
  { ...pin, name: "libacl1", version: "2.3.2-2+b1", architecture: "amd64" },
];

test("a toolchain's image says which source package each of its packages was built from", async () => {
  const { image, blobs } = await imageOf({
    "var/lib/dpkg/status": status,
    "usr/share/doc/libacl1/copyright": copyright,
  });
  expect(await listUsedSources({ packages }, image, blobs)).toEqual([
    { name: "acl", version: "2.3.2-2", licence: "GPL-2.0-or-later" },
    { name: "hostname", version: "3.25" },
  ]);
});

test("an image that has not what its lock has is refused", async () => {
  const { image, blobs } = await imageOf({ "var/lib/dpkg/status": status });
  const other = [{ ...pin, name: "libacl1", version: "2.3.2-3", architecture: "amd64" }];
  await expect(listUsedSources({ packages: other }, image, blobs)).rejects.toThrow(/has no libacl1 2\.3\.2-3/);
  const { image: bare, blobs: none } = await imageOf({ motd: "hello" });
  await expect(listUsedSources({ packages }, bare, none)).rejects.toThrow(/no database of its packages/);
});

test("an index names the files of a source package, of the version that is asked for", async () => {
  const folder = await temporaryFolder();
  const hash = (digit: string): string => digit.repeat(64);
  const stanza = (version: string, digit: string): string => `Package: acl
Binary: acl, libacl1
Version: ${version}
Directory: pool/main/a/acl
Files:
 d41d8cd98f00b204e9800998ecf8427e 10 acl_${version}.dsc
Checksums-Sha256:
 ${hash(digit)} 10 acl_${version}.dsc
 ${hash("f")} 20 acl.orig.tar.xz
 ${hash("e")} 20 ../escaped
Package-List:
 acl deb utils optional arch=any
`;
  await writeFile(
    join(folder, "mirror_dists_trixie_main_source_Sources"),
    `${stanza("2.3.1-1", "a")}\n${stanza("2.3.2-2", "b")}`,
  );
  const found = await findInSourcesIndexes(folder, [
    { name: "acl", version: "2.3.2-2" },
    { name: "acl", version: "9" },
  ]);
  expect([...found]).toEqual([
    [
      "acl 2.3.2-2",
      [
        { path: "pool/main/a/acl/acl_2.3.2-2.dsc", size: 10, sha256: hash("b") },
        { path: "pool/main/a/acl/acl.orig.tar.xz", size: 20, sha256: hash("f") },
      ],
    ],
  ]);
});
