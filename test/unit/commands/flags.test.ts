import fc from "fast-check";
import { expect, test } from "vitest";
import { wholeNumber } from "../../../src/commands/flags.ts";

test("a count is a whole number in digits, and not below its least", () => {
  const atLeastOne = wholeNumber(1);
  fc.assert(fc.property(fc.integer({ min: 1, max: 999_999_999 }), (value) => atLeastOne(String(value)) === value));
  for (const text of ["0", "-1", "1.5", "1e3", "0x10", " 1", "", "all", "9999999999"])
    expect(() => atLeastOne(text), text).toThrow(/is not a whole number from 1 on/);
  expect(wholeNumber(0)("0")).toBe(0);
});
