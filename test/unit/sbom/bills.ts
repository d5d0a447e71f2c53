import { createHash } from "node:crypto";
import type { ImageBill } from "../../../src/sbom/types.ts";

/** The bytes of a file that begins like ELF and has build information where Go's linker puts it. */
export function goProgram(goVersion: string, lines: readonly string[], more: { readonly flags?: number } = {}): Buffer {
  const start = Buffer.from("3077af0c9274080241e1c107e6d618e6", "hex");
  const end = Buffer.from("f932433186182072008242104116d8f2", "hex");
  const information = Buffer.concat([start, Buffer.from(`${lines.join("\n")}\n`), end]);
  const header = Buffer.alloc(32);
  header.write("\xff Go buildinf:", "latin1");
  header.writeUInt8(8, 14);
  header.writeUInt8(more.flags ?? 2, 15);
  const strings = [Buffer.from(goVersion), information].flatMap((bytes) => [varint(bytes.length), bytes]);
  return Buffer.concat([elf("go"), header, ...strings]);
}

/** A file of 128 bytes that begins like ELF. */
export function elf(content: string): Buffer {
  const bytes = Buffer.alloc(128);
  bytes.writeUInt32BE(0x7f454c46, 0);
  bytes.write(content, 64);
  return bytes;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) | 0x80);
  }
}

/** A digest's hex of a text. */
export function hex(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** A bill with something of everything. */
export const sampleBill: ImageBill = {
  image: { name: "app", version: "1.2.3", platform: "linux/arm64", digest: `sha256:${hex("manifest")}` },
  createdEpoch: 1600267223,
  packages: [
    {
      ...{ type: "deb", name: "libc6", version: "2.41-12", architecture: "arm64", programs: [] },
      purl: "pkg:deb/debian/libc6@2.41-12?arch=arm64&distro=debian-13",
      source: { name: "glibc", version: "2.41-12", purl: "pkg:deb/debian/glibc@2.41-12?arch=source&distro=debian-13" },
      licence: { expression: "LGPL-2.1-or-later AND MIT" },
      supplier: "Debian GNU/Linux",
    },
    {
      ...{ type: "apk", name: "musl", version: "1.2.5-r9", architecture: "aarch64", programs: [] },
      purl: "pkg:apk/alpine/musl@1.2.5-r9?arch=aarch64&distro=alpine-3.22.0",
      source: { name: "musl", version: "1.2.5-r9" },
      licence: { name: "a licence of its own" },
    },
    {
      ...{ type: "golang", name: "example.com/tool", version: "", architecture: "", programs: ["/usr/bin/tool"] },
      purl: "pkg:golang/example.com/tool",
    },
    {
      ...{ type: "golang", name: "stdlib", version: "1.26.1", architecture: "", programs: ["/usr/bin/tool"] },
      purl: "pkg:golang/stdlib@1.26.1",
    },
  ],
  programs: [
    { path: "/usr/bin/tool", sha256: hex("tool"), size: 3 },
    { path: "/app ö/run", sha256: hex("run"), size: 4 },
  ],
  gaps: [],
  source: {
    ...{ name: "app", version: "1.2.3", origin: "https://code.example/team/app.git" },
    ...{ commit: "1".repeat(40), tree: "2".repeat(40), archive: `sha256:${hex("archive")}` },
    licence: { expression: "MIT" },
  },
  context: { dockerfile: "Dockerfile", digest: `sha256:${hex("context")}` },
  toolchain: { name: "debian-c", version: "trixie-20260912", digest: `sha256:${hex("toolchain")}` },
  toolchainPackages: [
    {
      ...{ type: "deb", name: "gcc", version: "4:14.2.0-1", architecture: "amd64", programs: [] },
      ...{ purl: "pkg:deb/debian/gcc@4:14.2.0-1?arch=amd64&distro=debian-trixie", sha256: hex("gcc") },
    },
    {
      ...{ type: "deb", name: "g++", version: "4:14.2.0-1", architecture: "amd64", programs: [] },
      ...{ purl: "pkg:deb/debian/g%2B%2B@4:14.2.0-1?arch=amd64&distro=debian-trixie", sha256: hex("g++") },
    },
  ],
  upstream: {
    ...{ name: "registry.example/app", digest: `sha256:${hex("upstream")}`, manifest: `sha256:${hex("theirs")}` },
    files: [{ name: "app_1.2.3_arm64.deb", sha256: hex("deb") }],
  },
};

/** The same, imported from a Debian source package, for a platform that upstream lacks, with something unread. */
export const importedBill: ImageBill = {
  ...sampleBill,
  image: { ...sampleBill.image, platform: "linux/riscv64" },
  gaps: ["/var/lib/dpkg/status is no list of Debian packages"],
  source: {
    ...sampleBill.source,
    debian: {
      ...{ version: "1.2.3-1", purl: "pkg:deb/debian/app@1.2.3-1?arch=source&distro=debian-bookworm" },
      files: [
        { name: "app_1.2.3-1.dsc", sha256: hex("dsc") },
        { name: "app_1.2.3.orig.tar.gz", sha256: hex("orig") },
      ],
    },
  },
  upstream: { name: "registry.example/app", digest: `sha256:${hex("upstream")}`, files: [] },
};
