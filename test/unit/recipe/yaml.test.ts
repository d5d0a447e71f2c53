import { expect, test } from "vitest";
import { formatProblem } from "../../../src/errors.ts";
import { parseDocument } from "../../../src/recipe/document.ts";
import { recipeSchema } from "../../../src/recipe/schema.ts";
import { recipeTreeFiles } from "../../support/recipes.ts";

function yamlProblems(text: string): string[] {
  return parseDocument(text, "f.yaml", recipeSchema).problems.map(formatProblem);
}

const bomb = `a: &a [x, x, x, x, x, x, x, x, x]\n${"bcdefghi"
  .split("")
  .map((name, index) => `${name}: &${name} [${Array(9).fill(`*${"abcdefgh"[index]}`).join(", ")}]`)
  .join("\n")}\n`;

test.each<[what: string, text: string, expected: RegExp]>([
  ["empty file", "", /^f\.yaml:1:1: the file is empty$/],
  ["comments only", "# nothing\n", /^f\.yaml:1:1: the file is empty$/],
  ["null", "~\n", /^f\.yaml:1:1: the file is empty$/],
  ["a list", "- a\n", /^f\.yaml:1:1: must be a mapping of keys to values$/],
  ["alias bomb", bomb, /^f\.yaml:1:7: the anchor &a is not used here/],
  ["alias", "image: &x tini\nsource: *x\n", /^f\.yaml:1:11: the anchor &x is not used here/],
  ["unknown tag", "image: !exec tini\n", /^f\.yaml:1:8: not a tag that can be used: Unresolved tag: !exec/],
  ["binary tag", "image: !!binary aGk=\n", /^f\.yaml:1:8: not a tag that can be used/],
  [
    "tab as indentation",
    "build:\n\tnetwork: none\n",
    /^f\.yaml:2:1: a tab is not indentation in YAML\n {2}indent with spaces$/,
  ],
  ["two documents", "image: a\n---\nimage: b\n", /^f\.yaml:2:1: the file holds more than one document/],
  ["another YAML", "%YAML 1.1\n---\nimage: yes\n", /^f\.yaml:1:1: a %YAML directive is not used here/],
  ["open bracket", "owners: [a\nsource: b\n", /^f\.yaml:2:1: /],
  ["key that is a list", "? [a]\n: b\n", /a key must be one word/],
  ["__proto__", "__proto__: { polluted: true }\n", /^f\.yaml:1:1: this key cannot be used/],
  ["too deep", `a: ${"[".repeat(40)}${"]".repeat(40)}\n`, /^f\.yaml:1:\d+: nested more than 32 deep/],
  ["far too deep", `a: ${"[".repeat(20_000)}`, /nested too deeply to be read$/],
  ["far too deep in block style", "- ".repeat(20_000), /nested too deeply to be read$/],
  ["bidi override", "image: tini # \u202egpl\n", /^f\.yaml:1:15: has the unseen character \\u202e/],
  ["NUL", "image: ti\0ni\n", /^f\.yaml:1:10: has the unseen character \\u0000/],
])("%s", (_what, text, expected) => {
  const [first = ""] = yamlProblems(text);
  expect(first).toMatch(expected);
});

test("what a file of bad keys says is bounded, and quick", () => {
  const text = Array.from({ length: 100_000 }, (_, index) => `k${index}: 1`).join("\n");
  const startedAt = performance.now();
  const problems = yamlProblems(text);
  expect(performance.now() - startedAt).toBeLessThan(20_000);
  expect(problems).toHaveLength(51);
  expect(problems.at(-1)).toBe("f.yaml: and more problems");
}, 30_000);

test("dates, yes and no are text in YAML 1.2", () => {
  const result = parseDocument(
    recipeTreeFiles["recipes/images/tini/recipe.yaml"].replace("the linker writes another id", "yes"),
    "f.yaml",
    recipeSchema,
  );
  expect(result.document?.value.waivers[0]).toMatchObject({ reason: "yes", expires: "2027-06-30" });
});
