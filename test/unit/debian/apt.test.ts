import { expect, test } from "vitest";
import { parsePrintedUris } from "../../../src/debian/apt.ts";

const sha256 = "5b6825de4263824b78c4c51f6476414f3b4e89c2ab63e81dc8b9b5501e867cf6";
const root = "http://mirror.example/debian";

test("what apt prints becomes pinned packages, escapes undone", () => {
  const printed = `'${root}/pool/main/g/glibc/libc6_2.41-12%2bdeb13u4_amd64.deb' libc6_2.41-12+deb13u4_amd64.deb 2846580 SHA256:${sha256}\n'${root}/pool/main/q/q/q_1%3a7.2_all.deb' q_1%3a7.2_all.deb 7 SHA256:${sha256}\n`;
  expect(parsePrintedUris(printed, root)).toEqual([
    {
      name: "libc6",
      version: "2.41-12+deb13u4",
      architecture: "amd64",
      path: "pool/main/g/glibc/libc6_2.41-12+deb13u4_amd64.deb",
      size: 2846580,
      sha256,
    },
    { name: "q", version: "1:7.2", architecture: "all", path: "pool/main/q/q/q_1:7.2_all.deb", size: 7, sha256 },
  ]);
});

test.each([
  ["a weaker hash", `'${root}/pool/a_1_all.deb' a_1_all.deb 7 MD5Sum:8c82dcf89447f04e600379a1a1871f3b`],
  ["another host", `'http://other.example/pool/a_1_all.deb' a_1_all.deb 7 SHA256:${sha256}`],
  ["no package name", `'${root}/pool/a.deb' a.deb 7 SHA256:${sha256}`],
])("%s is refused", (_, line) => {
  expect(() => parsePrintedUris(line, root)).toThrow(/unforeseen/);
});
