import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { quickYaml } from "../../../src/recipe/lint-quick-yaml.ts";
import { parseYaml } from "../../../src/recipe/yaml-tree.ts";
import { writeSyntheticCatalogue } from "../../bench/synthetic-catalogue.ts";
import { recipeTreeFiles } from "../../support/recipes.ts";
import { temporaryFolder } from "../../support/temporary.ts";

/** Either the quick reader has no opinion, or it is the library's, which has no objection. */
function agrees(text: string): boolean {
  const quick = quickYaml(text);
  if (quick === undefined) return false;
  const { tree, problems } = parseYaml(text, "");
  expect({ data: quick, problems: [], text }).toEqual({ data: tree?.data, problems, text });
  return true;
}

async function yamlFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  return Promise.all(
    names.filter((name) => name.endsWith(".yaml")).map((name) => readFile(join(folder, name), "utf8")),
  );
}

test("the files of a factory are read as the library reads them, most of them quickly", async () => {
  const root = await temporaryFolder();
  await writeSyntheticCatalogue(root, { recipes: 3, releasesEach: 2, platforms: 6, seed: 7 });
  const synthetic = await yamlFiles(root);
  expect(synthetic.length).toBeGreaterThan(10);
  expect(synthetic.every(agrees)).toBe(true);
  for (const text of [...(await yamlFiles("recipes")), ...(await yamlFiles("vendor-sources"))]) agrees(text);
  for (const text of Object.values(recipeTreeFiles)) agrees(text);
});

test.each([
  "a: 1\nb: 01\nc: x: y\n",
  "a: b #c\n",
  "a: b#c\n",
  "a: 'b'\n",
  'a: "b\\n"\n',
  "a: 1e3\n",
  "a: 0x1f\n",
  "a: ~\n",
  "a: null\n",
  "a: True\n",
  "a:\n",
  "a:\nb: c\n",
  "a:\n- b\n- c\n",
  "a: b\n  c\n",
  "a: b\n  c: d\n",
  "a: [b,\n  c]\n",
  "a: [b, ]\n",
  "a: [b c: d]\n",
  "a: [b: c]\n",
  "a: {b: c, b: d}\n",
  "a: {b:c}\n",
  "a: {b}\n",
  "a: b\na: c\n",
  "a: |\n  b\n",
  "a: >-\n  b\n",
  "a: &x b\nc: *x\n",
  "a: !!str b\n",
  "? a\n",
  "--- a\n",
  "a: b\n---\nc: d\n",
  "a: b\n...\n",
  "%YAML 1.2\n",
  "- a\n- b\n",
  "- - a\n",
  "-\n  a: b\n",
  "a: - b\n",
  "a: -\n",
  "a: -1\n",
  "a: .5\n",
  "a: .inf\n",
  "a: @b\n",
  "a: b:\n",
  "a: b :c\n",
  "a:b\n",
  "a : b\n",
  "a: [a:b, c]\n",
  "a: [--x, -y, --]\n",
  "a: [-1, - b]\n",
  'a: ["b, c"]\n',
  'a: "b" c\n',
  'a: "b"c\n',
  "a: 2027-06-30\n",
  "a: 12:30\n",
  "a: 1_000\n",
  "a: 123456789012345678901234567890\n",
  "a: 0o17\n",
  "a: +1\n",
  "a: yes\n",
  "a: 1.\n",
  "a: 1.0.0\n",
  " a: b\n",
  "a: b\n c: d\n",
  "a:\n    b: c\n  d: e\n",
  "a:\n  - b: c\n    d: e\n  - f\n",
  "a:\n  - b:\n      c: d\n",
  "a:\n  -   b: c\n      d: e\n",
  "a:\n  - [b]\n  - {c: d}\n",
  "a:\n  - b:\n    - c\n",
  "__proto__: a\n",
  "true: a\n",
  "null: a\n",
  "constructor: a\n",
  "toString: a\n",
  "1: a\n",
  "a\n",
  "[a]\n",
  "{a: b}\n",
  "",
  "\n",
  "# a\n",
  "a: b\r\n",
  "a:\tb\n",
  "a: é\n",
  "a: b  \n",
  "a:   b\n",
  "a: (b) = ^c\n",
  "a: b\n\n\n# c\n\nd: e\n",
  "a:\n  # b\n  c: d\n# e\n  f: g\n",
  "a: [b]c\n",
  "a: [b] [c]\n",
  "a: {b: [c]}\n",
  "a: [[b]]\n",
  "a: [b]]\n",
  "a: {b: c}}\n",
  "a: x,y\n",
  "a: [x y, z]\n",
  "a: http://b.c/d?e=f\n",
  "a: b: \n",
  "a: b -c\n",
  "a: b - c\n",
  "a: //\n",
  "a: _\n",
  "/a: b\n",
  "linux/arm/v7: c\n",
  "a.b+c~d: e\n",
  "a-: b\n",
  "a--: b\n",
  "_: b\n",
])("agrees on %j", (text) => void agrees(text));

test("on any text, it agrees or has no opinion", () => {
  const piece = fc.constantFrom(
    ..."a b key linux/arm64 sha256:0f version 1 01 1.5 1e3 true null ~ yes 2027-06-30 --x -- - : , [ ] { } \" ' # & * ! | > % @ ` = ( ) ^ ? / . + _ __proto__ \\ ...".split(
      " ",
    ),
    ": ",
    " #",
    ", ",
    "- ",
    "\n",
    "\n  ",
    "\n    ",
    "\n- ",
    "\n  - ",
    " ",
    '"a b"',
    "[a, b]",
    "{ a: b }",
    "a: b",
    "c: [d]",
    "\nk: ",
    "\n  l: ",
    "---",
  );
  let quickly = 0;
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 14 }), fc.boolean(), (pieces, keyed) => {
      if (agrees(`${keyed ? "x: " : ""}${pieces.join("")}\n`)) quickly += 1;
    }),
    { numRuns: 20_000 },
  );
  expect(quickly).toBeGreaterThan(500);
});

test("on a factory's files with something changed, it agrees or has no opinion", () => {
  const texts = Object.entries(recipeTreeFiles)
    .filter(([path]) => path.endsWith(".yaml"))
    .map(([, text]) => text);
  const inserted = fc.constantFrom(..." :#-,[]{}\"'\n\t&*!|>%@~0.e".split(""), ": ", " #", "\n  ", "- ", "\n\n");
  let quickly = 0;
  fc.assert(
    fc.property(fc.constantFrom(...texts), fc.nat(1500), fc.nat(3), inserted, (text, at, gone, put) => {
      const place = at % text.length;
      if (agrees(text.slice(0, place) + put + text.slice(place + gone))) quickly += 1;
    }),
    { numRuns: 4000 },
  );
  expect(quickly).toBeGreaterThan(300);
});
