import { describe, expect, test } from "vitest";
import { chooseTags, problemOfPattern, problemOfRange } from "../../../src/mirror/choose-tags.ts";

const tags = [
  "1.9",
  "1.10",
  "1.36",
  "1.36.1",
  "1.36.1-musl",
  "2.0-rc1",
  "2.0",
  "latest",
  "v1.35",
  "20240101",
  "1.37-glibc",
];

describe("tags are chosen", () => {
  test.each<[string, Parameters<typeof chooseTags>[0], string[]]>([
    ["by a range", { range: ">=1.10 <2", newest: 10 }, ["1.36.1", "1.36", "v1.35", "1.10"]],
    ["at most so many, the newest", { range: ">=1.10 <2", newest: 2 }, ["1.36.1", "1.36"]],
    ["where 1.36 is 1.36.0", { range: "=1.36.0", newest: 10 }, ["1.36"]],
    ["above a version", { range: ">1.36 <=2.0", newest: 10 }, ["2.0", "1.36.1"]],
    [
      "by a pattern for the whole tag",
      { pattern: String.raw`1\.3[67].*`, newest: 10 },
      ["1.37-glibc", "1.36.1-musl", "1.36.1", "1.36"],
    ],
    ["by both", { pattern: ".*-(musl|glibc)", range: ">=1.37", newest: 10 }, ["1.37-glibc"]],
    ["none", { range: ">3 <4", newest: 10 }, []],
  ])("%s", (_, match, chosen) => {
    expect(chooseTags(match, tags)).toEqual(chosen);
  });

  test("a pattern that takes for ever is stopped", () => {
    const hostile = `${"a".repeat(100)}!`;
    expect(() => chooseTags({ pattern: "(a+)+", newest: 1 }, [hostile])).toThrow(/takes too long/);
  });

  test("never one that could not be written into the lock", () => {
    expect(chooseTags({ pattern: ".*", newest: 10 }, ["__proto__", "constructor"])).toEqual(["constructor"]);
  });
});

test("what is no range and no pattern is said", () => {
  expect(problemOfRange(">=1.36 <2")).toBeUndefined();
  expect(problemOfRange("^1.36")).toMatch(/"\^1.36", which is no condition/);
  expect(problemOfRange(">=1.36  <2")).toMatch(/is no condition/);
  expect(problemOfPattern("1(")).toBe("is not a regular expression");
  expect(problemOfPattern(String.raw`1\.36(\.[0-9]+)*`)).toBeUndefined();
});
