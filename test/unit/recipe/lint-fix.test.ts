import { chmod, readFile, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseDocument } from "yaml";
import { planFixes, type StyledKind } from "../../../src/recipe/fix.ts";
import { fixFiles } from "../../../src/recipe/fix-files.ts";
import { lint } from "../../../src/recipe/lint.ts";
import { fixesDiff } from "../../../src/report/lint/fixes.ts";
import { createRecipeTree, recipeTreeFiles } from "../../support/recipes.ts";

const recipe = "recipes/images/tini/recipe.yaml";
const release = "recipes/images/tini/releases/0.19.0.yaml";
const source = "vendor-sources/tini.yaml";

/** The mended text, and the rules with their lines. */
function fix(text: string, kind: StyledKind = "recipe"): { text: string; found: string[] } {
  const plan = planFixes(text, kind);
  return { text: plan.text, found: plan.changes.map(({ rule, line, column }) => `${rule} ${line}:${column}`) };
}

test.each(Object.entries(recipeTreeFiles))("what is tidy stays: %s", (path, text) => {
  const kinds: [part: string, kind: StyledKind][] = [
    ["recipe.yaml", "recipe"],
    ["releases/", "release"],
    ["locks/", "lock"],
    ["toolchain.yaml", "toolchain"],
    ["vendor-sources/", "source"],
  ];
  const kind = kinds.find(([part]) => path.includes(part))?.[1];
  if (kind) expect(fix(text, kind)).toEqual({ text, found: [] });
});

test.each<[what: string, before: string, after: string, found: string[], kind?: StyledKind]>([
  [
    "trailing spaces",
    "image: a  \nsource: b # c \t\n",
    "image: a\nsource: b # c\n",
    ["trailing-space 1:9", "trailing-space 2:14"],
  ],
  ["no final line end", "image: a", "image: a\n", ["final-newline 1:9"]],
  ["empty lines at the end", "image: a\n\n\n", "image: a\n", ["final-newline 2:1"]],
  ["CRLF", "image: a\r\nsource: b\r\n", "image: a\nsource: b\n", ["line-ends 1:9"]],
  ["tabs between words", "image:\ta\t# b\tc\n", "image: a # b\tc\n", ["tabs 1:7"]],
  [
    "tabs as indentation throughout",
    "image: a\nbuild:\n\tnetwork: none\n\targs:\n\t\tA: b\n",
    "image: a\nbuild:\n  network: none\n  args:\n    A: b\n",
    ["tabs 3:1", "tabs 4:1", "tabs 5:1"],
  ],
  ["tabs and spaces, which can be read in two ways", "build:\n  args:\n\tA: b\n", "build:\n  args:\n\tA: b\n", []],
  ["what is no YAML", "image: [  \n", "image: [  \n", []],
  [
    "spaces in a block text",
    "smoke:\n  - run: [a]\n    stdout: |\n      b  \n      c\n",
    "smoke:\n  - run: [a]\n    stdout: |\n      b  \n      c\n",
    [],
  ],
  [
    "a version like text and one like a number",
    "version: 1.10\nsource:\n  debian: { version: 0.19.0-1 }\n",
    'version: "1.10"\nsource:\n  debian: { version: "0.19.0-1" }\n',
    ["quotes 1:10", "quotes 3:22"],
    "release",
  ],
  [
    "a build argument like a number",
    "build:\n  args: { A: 1.10, B: yes }\n",
    'build:\n  args: { A: "1.10", B: yes }\n',
    ["quotes 2:14"],
  ],
  [
    "platforms in one line and in several",
    "platforms:\n  reproduce: [linux/s390x, linux/amd64] # both\n  extend:\n    - linux/riscv64\n    # the new one\n    - linux/loong64 # here\n",
    "platforms:\n  reproduce: [linux/amd64, linux/s390x] # both\n  extend:\n    # the new one\n    - linux/loong64 # here\n    - linux/riscv64\n",
    ["platform-order 2:14", "platform-order 4:5"],
  ],
  [
    "keys, with the comments above and behind them",
    "# yaml-language-server: $schema=../../../schemas/recipe.schema.json\n\nsource: b\n# what it is\n# called\nimage: a # here\n\n# who\nowners: [c]\n",
    "# yaml-language-server: $schema=../../../schemas/recipe.schema.json\n\n# what it is\n# called\nimage: a # here\n# who\nowners: [c]\n\nsource: b\n",
    ["key-order 6:1"],
  ],
  [
    "keys of mappings in lists, and in one line",
    "smoke:\n  - stdout: x # out\n    # in\n    run: [a]\n  - { stdout: y, run: [b, c] }\n",
    "smoke:\n  - stdout: x # out\n    # in\n    run: [a]\n  - { run: [b, c], stdout: y }\n",
    ["key-order 5:18"],
  ],
  [
    "keys behind a dash",
    "smoke:\n  - stdout: x # out\n    run:\n      - a\n",
    "smoke:\n  - run:\n      - a\n    stdout: x # out\n",
    ["key-order 3:5"],
  ],
  [
    "a comment that the file begins with stays at its top",
    "# Copyright somebody\nsource: b\nimage: a\n",
    "# Copyright somebody\nimage: a\nsource: b\n",
    ["key-order 3:1"],
  ],
  [
    "empty lines that a text keeps are part of it",
    "smoke:\n  - run: [a]\n    stdout: |+\n      b\n\n\n",
    "smoke:\n  - run: [a]\n    stdout: |+\n      b\n\n\n",
    [],
  ],
  ["records keep their order", "build:\n  args: { B: b, A: a }\n", "build:\n  args: { B: b, A: a }\n", []],
  ["unknown keys", "source: b\nimmage: a\n", "source: b\nimmage: a\n", []],
  [
    "a union's keys",
    "import: { suite: b, package: a, kind: debian }\nsource: c\n",
    "source: c\nimport: { kind: debian, package: a, suite: b }\n",
    ["key-order 1:21", "key-order 2:1"],
    "source",
  ],
])("%s", (_what, before, after, found, kind = "recipe") => {
  const fixed = fix(before, kind);
  expect(fixed.text).toBe(after);
  expect(fixed.found.toSorted()).toEqual(found.toSorted());
  expect(fix(after, kind)).toEqual({ text: after, found: [] });
});

test("whatever is mended, the file says the same, keeps its comments and needs no second time", () => {
  const keys = ["image: tini", "owners: [a, b]", "source: tini", "toolchain: c", "waivers: []"];
  const nested = [
    "platforms:\n  extend: [linux/s390x, linux/386]\n  reproduce:\n    - linux/arm64\n    # second\n    - linux/amd64",
    "build:\n  # off\n  network: none\n  args:\n    A: 1.0\n  dockerfile: Dockerfile",
    'smoke:\n  - stdout: "x y"\n    run: [a]\n  # next\n  - run: [b]',
  ];
  const element = fc.constantFrom(...keys, ...nested);
  const line = fc.tuple(
    fc.constantFrom("", "# about it\n", "\n", "\n# after an empty line\n", "# one\n\n# two\n"),
    element,
    fc.constantFrom("", " ", " # behind", "\t# tab  "),
  );
  fc.assert(
    fc.property(
      fc.uniqueArray(line, { selector: ([, text]) => text, minLength: 1 }),
      fc.constantFrom("\n", "\r\n"),
      (lines, end) => {
        const text = lines
          .map((parts) => `${parts.join("")}\n`)
          .join("")
          .replaceAll("\n", end);
        const { text: fixed } = fix(text);
        const meaning = (yaml: string): unknown => {
          const { build, platforms, ...rest } = parseDocument(yaml).toJS() as Record<string, never>;
          const { args, ...others } = (build ?? {}) as Record<string, never>;
          const lists = Object.entries((platforms ?? {}) as Record<string, string[]>);
          const sets = Object.fromEntries(lists.map(([name, list]) => [name, list.toSorted()]));
          return {
            ...rest,
            others,
            args: args === undefined ? undefined : { A: Number((args as { A: unknown }).A) },
            sets,
          };
        };
        expect(meaning(fixed)).toEqual(meaning(text));
        const comments = (yaml: string): string[] =>
          (yaml.match(/#.*/g) ?? []).map((each) => each.trimEnd()).toSorted();
        expect(comments(fixed)).toEqual(comments(text));
        expect(fix(fixed)).toEqual({ text: fixed, found: [] });
      },
    ),
    { numRuns: 300 },
  );
});

test("lint tells of what --fix mends, and of nothing afterwards", async () => {
  await using tree = await createRecipeTree();
  await tree.edit(recipe, "[linux/amd64, linux/arm64]", "[linux/arm64, linux/amd64]");
  await tree.edit(release, 'version: "0.19.0"', "version: 0.19.0");
  await tree.edit(source, "licence: MIT\n", "licence: MIT  \n");
  const full = join(tree.root, source);
  await chmod(full, 0o640);
  const today = "2026-11-20";
  expect((await lint(tree.root, { today })).map(({ rule, hint }) => `${rule}: ${hint}`)).toEqual([
    "platform-order: refoundry lint --fix mends it",
    "quotes: refoundry lint --fix mends it",
    "trailing-space: refoundry lint --fix mends it",
  ]);

  const planned = await fixFiles(tree.root, { dryRun: true });
  expect(planned.map(({ file }) => file.replace(`${tree.root}/`, ""))).toEqual([recipe, release, source]);
  expect(await readFile(full, "utf8")).toContain("MIT  \n");
  const diff = fixesDiff(planned);
  expect(diff).toContain("-licence: MIT  \n+licence: MIT\n");
  expect(diff).toMatch(/^--- a\/.*\n\+\+\+ b\/.*\n@@ /);

  expect(await fixFiles(tree.root, { dryRun: false, paths: [full] })).toHaveLength(1);
  expect(await fixFiles(tree.root, { dryRun: false })).toHaveLength(2);
  expect(await lint(tree.root, { today })).toEqual([]);
  expect((await stat(full)).mode & 0o777).toBe(0o640);
  expect(await fixFiles(tree.root, { dryRun: false })).toEqual([]);
});

test("a file behind a link, and one that is no YAML, are left alone", async () => {
  await using tree = await createRecipeTree();
  const elsewhere = await tree.write("elsewhere.yaml", "source: other  \n");
  await symlink(elsewhere, join(tree.root, "vendor-sources/other.yaml"));
  await tree.edit(recipe, "image: tini", "image: [  ");
  expect(await fixFiles(tree.root, { dryRun: false })).toEqual([]);
  expect(await readFile(elsewhere, "utf8")).toBe("source: other  \n");
});
