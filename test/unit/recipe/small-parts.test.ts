import * as fc from "fast-check";
import { expect, test } from "vitest";
import { noteOnSourceUrl, validateSourceUrl } from "../../../src/recipe/source-url.ts";
import { compareVersions } from "../../../src/recipe/version.ts";
import { nearNames, quoted } from "../../../src/recipe/words.ts";

test.each([
  "https://git.example/krallin/tini",
  "https://git.example:8443/a/b.git",
  "ssh://git@git.example:2222/a/b",
  "git@git.example:krallin/tini.git",
  "git@git.example:~user/x",
  "file:///srv/git/tini.git",
])("%s is allowed", (url) => {
  expect(validateSourceUrl(url)).toBeUndefined();
});

test.each<[url: string, why: RegExp]>([
  ["", /empty/],
  ["--upload-pack=touch /tmp/x", /white space/],
  ["--upload-pack=x", /begins with -/],
  ["http://git.example/a", /anyone on the way/],
  ["git://git.example/a", /anyone on the way/],
  ["ftp://git.example/a", /uses ftp:/],
  ["ext::sh -c x", /white space/],
  ["ext::sh%20-c", /remote helper/],
  ["fd::7", /remote helper/],
  ["https://user:secret@git.example/a", /credentials/],
  ["https://token@git.example/a", /credentials/],
  ["ssh://git:secret@git.example/a", /password/],
  ["ssh://-oProxyCommand=x/a", /begins with -|host/],
  ["ssh://%2doProxyCommand=x/a", /begins with -|host/],
  ["ssh://-l@git.example/a", /begins with -/],
  ["ssh:///a", /no host|not an address/],
  ["git@-oProxyCommand=x:a", /not an address/],
  ["git@git.example:-a", /not an address/],
  ["-x@git.example:a", /begins with -/],
  ["git.example:a/b", /not an address/],
  ["/srv/git/tini", /not an address/],
  ["../tini", /not an address/],
  ["C:\\tini", /not an address/],
  ["file://host.example/a", /absolute path/],
  ["https://git.example/a#main", /git does not know/],
  ["https://git.example/a\n", /control character/],
  ["https://git.example/a\u0000", /control character/],
  ["https://git.example/\u202ea", /control character/],
  [`https://git.example/${"a".repeat(3000)}`, /longer/],
])("%j is refused", (url, why) => {
  expect(validateSourceUrl(url)).toMatch(why);
});

test("only file: has a note", () => {
  expect(noteOnSourceUrl("file:///a")).toContain("this machine only");
  expect(noteOnSourceUrl("https://git.example/a")).toBeUndefined();
});

test("versions are ordered as upstreams number them", () => {
  const inOrder = [
    "0.9",
    "v0.10.0",
    "1.0~rc1",
    "1.0-alpha1",
    "1.0-beta.2",
    "1.0-rc1",
    "1.0-rc2",
    "1.0-rc10",
    "1.0",
    "1.0+b1",
    "1.0.0",
    "1.0.1",
    "1.0.1w",
    "1.2-1",
    "1.10",
    "2",
    "20260101",
    "1:0.1",
  ];
  expect(inOrder.toReversed().toSorted(compareVersions)).toEqual(inOrder);
});

const sign = (a: string, b: string): number => Math.sign(compareVersions(a, b));

test("the order of versions is total", () => {
  const version = fc
    .array(fc.constantFrom("0", "1", "01", "10", ".", "-", "~", "+", ":", "rc", "alpha", "a", "b", "v"), {
      maxLength: 6,
    })
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(version, version, version, (a, b, c) => {
      expect(sign(a, b)).toBe(0 - sign(b, a));
      expect(sign(a, b) === 0).toBe(a === b);
      if (sign(a, b) <= 0 && sign(b, c) <= 0) expect(sign(a, c)).toBeLessThanOrEqual(0);
    }),
    { numRuns: 3000 },
  );
});

test("near names", () => {
  expect(nearNames("tiny", ["busybox", "tini", "tinyproxy"])).toEqual(["tini"]);
  expect(nearNames("debain-c", ["debian-c", "debian-d"])).toEqual(["debian-c", "debian-d"]);
  expect(nearNames("Tini", ["tini"])).toEqual(["tini"]);
  expect(nearNames("x", ["y"])).toEqual([]);
  expect(nearNames("", ["y"])).toEqual([]);
});

test("what is quoted is one short line with nothing unseen in it", () => {
  expect(quoted("a\u001b[2J\nb\u202ec")).toBe('"a\\u001b[2J\\u000ab\\u202ec"');
  expect(quoted("x".repeat(1000)).length).toBeLessThan(100);
});
