import { expect, test } from "vitest";
import { belongsInToolchain } from "../../../src/toolchain/clean-root.ts";

test.each<[path: string, belongs: boolean]>([
  ["usr/bin/gcc", true],
  ["etc/ssl/certs/ca-certificates.crt", true],
  // with the second in which each certificate was put in
  ["etc/ssl/certs/java/cacerts", false],
  ["etc/ssl/certs/java", true],
  ["usr/share/doc/gcc/copyright", true],
  ["usr/share/doc/gcc/changelog.gz", false],
  ["etc/hostname", false],
  ["var/log", true],
  ["var/log/dpkg.log", false],
  ["var/lib/dpkg/status", true],
  ["var/lib/dpkg/status-old", false],
])("%s belongs in a toolchain: %s", (path, belongs) => {
  expect(belongsInToolchain(path)).toBe(belongs);
});
