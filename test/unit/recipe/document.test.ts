import { expect, test } from "vitest";
import type { z } from "zod";
import { formatProblem } from "../../../src/errors.ts";
import { parseDocument } from "../../../src/recipe/document.ts";
import { recipeSchema, releaseSchema, sourceSchema, toolchainSchema } from "../../../src/recipe/schema.ts";
import { recipeTreeFiles } from "../../support/recipes.ts";

const recipeText = recipeTreeFiles["recipes/images/tini/recipe.yaml"];
const releaseText = recipeTreeFiles["recipes/images/tini/releases/0.19.0.yaml"];
const sourceText = recipeTreeFiles["vendor-sources/tini.yaml"];
const toolchainText = recipeTreeFiles["recipes/toolchains/debian-c/toolchain.yaml"];

const schemas: Record<keyof typeof texts, z.ZodType<unknown>> = {
  recipe: recipeSchema,
  release: releaseSchema,
  source: sourceSchema,
  toolchain: toolchainSchema,
};
const texts = { recipe: recipeText, release: releaseText, source: sourceText, toolchain: toolchainText };

function problemsAfter(kind: keyof typeof texts, from: string, to: string): string[] {
  expect(texts[kind]).toContain(from);
  const text = texts[kind].replace(from, () => to);
  return parseDocument(text, "f.yaml", schemas[kind]).problems.map(formatProblem);
}

test.each(Object.keys(texts) as (keyof typeof texts)[])("the %s of the tree is valid", (kind) => {
  expect(parseDocument(texts[kind], "f.yaml", schemas[kind]).problems).toEqual([]);
});

test.each<[what: string, kind: keyof typeof texts, from: string, to: string, expected: string[]]>([
  ["unknown key", "recipe", "owners:", "owner:", ['f.yaml:2:1: unknown key "owner"\n  did you mean "owners"?']],
  [
    "misspelt optional key",
    "recipe",
    "waivers:",
    "waiver:",
    ['f.yaml:17:1: unknown key "waiver"\n  did you mean "waivers"?'],
  ],
  [
    "unknown key, nothing near",
    "recipe",
    "network: none",
    "network: none\n  speed: 9",
    ['f.yaml:10:3: build: unknown key "speed"\n  known here: dockerfile, network, args, platformArgs, patches'],
  ],
  [
    "unknown key in a list",
    "recipe",
    "    stdout:",
    "    stdot:",
    ['f.yaml:16:5: smoke[0]: unknown key "stdot"\n  did you mean "stdout"?'],
  ],
  ["missing key", "recipe", "owners: [release-engineering]\n", "", ['f.yaml:1:1: the key "owners" is missing']],
  [
    "missing nested key",
    "release",
    `  tree: ${"b".repeat(40)}\n`,
    "",
    ['f.yaml:2:1: source: the key "tree" is missing'],
  ],
  [
    "empty value",
    "recipe",
    "toolchain: debian-c",
    "toolchain:",
    ["f.yaml:4:11: toolchain: is empty, and must be text"],
  ],
  [
    "mapping in place of text",
    "recipe",
    "toolchain: debian-c",
    "toolchain: { name: x }",
    ["f.yaml:4:12: toolchain: must be text"],
  ],
  [
    "text in place of a list",
    "recipe",
    "owners: [release-engineering]",
    "owners: me",
    ['f.yaml:2:9: owners: "me" must be a list'],
  ],
  [
    "short commit",
    "release",
    "a".repeat(40),
    "abc1234",
    [
      'f.yaml:3:11: source.commit: "abc1234" must be the full commit id of 40 hex digits, not a branch, tag or short id',
    ],
  ],
  [
    "commit of digits only",
    "release",
    "a".repeat(40),
    "1".repeat(40),
    [
      `f.yaml:3:11: source.commit: must be text, and ${"1".repeat(40)} without quotes is a number\n  quote it: commit: "${"1".repeat(40)}"`,
    ],
  ],
  [
    "short digest",
    "release",
    `sha256:${"c".repeat(64)}`,
    "sha256:cc",
    ['f.yaml:5:12: source.archive: "sha256:cc" must be sha256: and 64 lower-case hex digits'],
  ],
  [
    "version without quotes",
    "release",
    '"0.19.0"',
    "1.20",
    ['f.yaml:1:10: version: must be text, and 1.20 without quotes is a number\n  quote it: version: "1.20"'],
  ],
  [
    "version that looks octal",
    "release",
    '"0.19.0"',
    "0755",
    ['f.yaml:1:10: version: must be text, and 0755 without quotes is a number\n  quote it: version: "0755"'],
  ],
  [
    "hexadecimal version",
    "release",
    '"0.19.0"',
    "0x10",
    ['f.yaml:1:10: version: must be text, and 0x10 without quotes is a number\n  quote it: version: "0x10"'],
  ],
  [
    "true in a list",
    "recipe",
    "[/tini, --version]",
    "[/tini, true]",
    ['f.yaml:15:18: smoke[0].run[1]: must be text, and true without quotes is true or false\n  quote it: - "true"'],
  ],
  [
    "version that leaves its folder",
    "release",
    '"0.19.0"',
    '"../0"',
    ['f.yaml:1:10: version: "../0" must be letters, digits and . + ~ : _ - and begin with a letter or digit'],
  ],
  [
    "epoch in quotes",
    "release",
    "1587291300",
    '"1587291300"',
    ['f.yaml:6:10: source.epoch: "1587291300" must be a number'],
  ],
  ["negative epoch", "release", "1587291300", "-1", ["f.yaml:6:10: source.epoch: -1 must be at least 0"]],
  ["size 0", "release", "size: 1234", "size: 0", ["f.yaml:13:9: upstream.size: 0 must be more than 0"]],
  [
    "bad platform key",
    "release",
    "linux/amd64:",
    "amd64:",
    [
      'f.yaml:15:5: upstream.manifests: the key "amd64" must be os/architecture or os/architecture/variant, as in linux/arm64',
    ],
  ],
  [
    "platform twice",
    "recipe",
    "[linux/amd64, linux/arm64]",
    "[linux/amd64, linux/amd64]",
    ['f.yaml:12:28: platforms.reproduce[1]: "linux/amd64" is listed twice'],
  ],
  [
    "platform in both lists",
    "recipe",
    "extend: [linux/riscv64]",
    "extend: [linux/amd64]",
    ['f.yaml:13:12: platforms.extend[0]: "linux/amd64" is under reproduce already'],
  ],
  [
    "name with ../",
    "recipe",
    "source: tini",
    "source: ../tini",
    ['f.yaml:3:9: source: "../tini" must be lower-case letters, digits and single . _ - between them'],
  ],
  [
    "Dockerfile with ../",
    "recipe",
    "dockerfile: Dockerfile",
    "dockerfile: ../../Dockerfile",
    ['f.yaml:8:15: build.dockerfile: "../../Dockerfile" must be a path inside the recipe\'s folder'],
  ],
  [
    "network",
    "recipe",
    "network: none",
    "network: host",
    ['f.yaml:9:12: build.network: "host" must be none: builds have no network'],
  ],
  [
    "a frontend by build argument",
    "recipe",
    "FLAVOUR",
    "BUILDKIT_SYNTAX",
    ['f.yaml:10:11: build.args: the key "BUILDKIT_SYNTAX" is set by refoundry, not by a recipe'],
  ],
  [
    "no such day",
    "recipe",
    "2027-06-30",
    "2027-06-31",
    ['f.yaml:22:14: waivers[0].expires: "2027-06-31" must be a date, as in 2027-06-30'],
  ],
  [
    "no smoke test",
    "recipe",
    "smoke:\n  - run: [/tini, --version]\n    stdout: tini version {version}",
    "smoke: []",
    ["f.yaml:14:8: smoke: needs at least one command: what does not start is not released"],
  ],
  [
    "terminal escape in a text",
    "recipe",
    "the linker writes another id",
    '"\\e[2Jx"',
    ['f.yaml:20:13: waivers[0].reason: "\\u001b[2Jx" must be one line without control characters'],
  ],
  [
    "misspelt key in a union",
    "recipe",
    "  image: registry",
    "  imge: registry",
    ['f.yaml:6:3: upstream: unknown key "imge"\n  did you mean "image"?'],
  ],
  [
    "both branches of a union",
    "recipe",
    "upstream:\n",
    "upstream:\n  debian: { package: tini, suite: trixie, files: { /tini: /usr/bin/tini }, entrypoint: [/tini] }\n",
    ['f.yaml:6:3: upstream: unknown key "debian"\n  known here: image'],
  ],
  [
    "branch of a union that is nearly right",
    "recipe",
    "  image: registry.example/library/tini",
    "  debian: { package: tini, suite: Trixie, entrypoint: [/tini] }",
    [
      'f.yaml:6:3: upstream.debian: the key "files" is missing',
      'f.yaml:6:35: upstream.debian.suite: "Trixie" must be the code name of a suite, as in trixie',
    ],
  ],
  [
    "no mapping where a union is",
    "recipe",
    "upstream:\n  image: registry.example/library/tini",
    "upstream: registry.example/library/tini",
    ['f.yaml:5:11: upstream: "registry.example/library/tini" must be a mapping of keys to values'],
  ],
  ["unknown kind", "source", "kind: git", "kind: svn", ['f.yaml:5:17: import.kind: "svn" must be "git" or "debian"']],
  [
    "kind with too little",
    "source",
    "{ kind: git }",
    "{ kind: debian, package: tini }",
    ['f.yaml:5:1: import: the key "suite" is missing'],
  ],
  [
    "toolchain image by tag",
    "toolchain",
    toolchainText,
    "toolchain: go\nimage: golang:1.25\n",
    ['f.yaml:2:8: image: "golang:1.25" must end in @sha256:<digest>; a tag can move'],
  ],
  [
    "image that looks like an option",
    "recipe",
    "image: registry.example",
    "image: --registry.example",
    [
      'f.yaml:6:10: upstream.image: "--registry.example/library/tini" must be an image reference, without spaces and not beginning with -',
    ],
  ],
  [
    "duplicate key",
    "recipe",
    "toolchain: debian-c",
    "toolchain: debian-c\nimage: other",
    ['f.yaml:5:1: the key "image" is given twice; it is on line 1 too\n  keep one of them'],
  ],
])("%s", (_what, kind, from, to, expected) => {
  expect(problemsAfter(kind, from, to)).toEqual(expected);
});

test("all problems are told at once, in the order of the file", () => {
  const text = recipeText
    .replace("owners:", "owner:")
    .replace("network: none", "network: host")
    .replace("source: tini", "source: 7");
  expect(
    parseDocument(text, "f.yaml", recipeSchema)
      .problems.map(formatProblem)
      .map((line) => line.split(" ")[0]),
  ).toEqual(["f.yaml:2:1:", "f.yaml:3:9:", "f.yaml:9:12:"]);
});
