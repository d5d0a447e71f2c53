import { expect, test } from "vitest";
import { packageNameOf, upstreamVersionOf } from "../../../src/debian/version.ts";

test.each([
  ["0.19.0-1", "0.19.0"],
  ["1.6.20~ds1-1+b1", "1.6.20"],
  ["5:7.0.15-1~deb12u6", "7.0.15"],
  ["2.8.2+ds1-1", "2.8.2"],
  ["1.19.8-2", "1.19.8"],
  ["1.20.5+really1.20.2-1.1+deb12u1", "1.20.2"],
  ["12.4+deb12u11", "12.4+deb12u11"],
  ["1.2.3+dfsg.2-4-1", "1.2.3+dfsg.2-4"],
])("%s is upstream's %s", (debian, upstream) => {
  expect(upstreamVersionOf(debian)).toBe(upstream);
});

test("a file's package is what stands before the version", () => {
  expect(packageNameOf("pool/main/t/tini/tini_0.19.0-3+b8_arm64.deb")).toBe("tini");
});
