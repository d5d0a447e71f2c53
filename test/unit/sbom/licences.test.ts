import fc from "fast-check";
import { expect, test } from "vitest";
import { copyrightLicence, declaredLicence, spdxExpression } from "../../../src/sbom/licences.ts";

test.each([
  ["MIT", "MIT"],
  ["mit", "MIT"],
  ["GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-only WITH Classpath-exception-2.0"],
  ["(MIT or (ISC AND Zlib)) and Apache-2.0", "(MIT OR (ISC AND Zlib)) AND Apache-2.0"],
])("%s is an expression", (text, expression) => {
  expect(spdxExpression(text)).toBe(expression);
});

test.each([
  ...["", "GPL", "MIT ISC", "MIT AND", "AND MIT", "(MIT", "MIT)", "()", "MIT OR OR ISC", "MIT WITH", "MIT WITH MIT"],
  ...["MIT WITH GCC-exception-3.1 ISC", "(MIT) WITH GCC-exception-3.1", "MIT (ISC)", "MIT AND (OR)", "constructor"],
])("%j is no expression", (text) => {
  expect(spdxExpression(text)).toBeUndefined();
});

test("what is declared is kept by name when it is no expression", () => {
  expect(declaredLicence(" custom\u001b ")).toEqual({ name: "custom\ufffd" });
  expect(declaredLicence(" \n ")).toBeUndefined();
});

test("no text of a copyright file makes it fail, or gives what is no expression", () => {
  const format = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n";
  const word = fc.constantFrom(
    "Files: *\n",
    "License: ",
    "GPL-2+",
    "Expat",
    " or ",
    " and ",
    "\n",
    "\n\n",
    ",",
    "(",
    " with ",
    "x",
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 30 }), (words) => {
      const found = copyrightLicence(Buffer.from(format + words.join("")));
      if (found && "expression" in found) expect(spdxExpression(found.expression)).toBe(found.expression);
    }),
    { numRuns: 2000 },
  );
});
