import { expect, test } from "vitest";
import { formatProblem } from "../../../src/errors.ts";
import { maxFileBytes, readDocument } from "../../../src/recipe/document.ts";
import { sourceSchema } from "../../../src/recipe/schema.ts";
import { createRecipeTree, recipeTreeFiles } from "../../support/recipes.ts";

test.each<[what: string, content: Uint8Array | string, expected: string]>([
  [
    "not UTF-8",
    Buffer.concat([Buffer.from("image: tini\nsource: "), Buffer.from([0xff, 0xfe, 0x0a])]),
    ":2: is not UTF-8 text",
  ],
  ["UTF-16", Buffer.from("\ufeffimage: tini\n", "utf16le"), ":1: is not UTF-8 text"],
  ["too large", Buffer.alloc(maxFileBytes + 1, "#"), ": is larger than the 1 MiB that are read"],
])("%s", async (_what, content, expected) => {
  await using tree = await createRecipeTree();
  const file = await tree.write("vendor-sources/odd.yaml", content);
  const { problems } = await readDocument(tree.root, "vendor-sources/odd.yaml", sourceSchema);
  expect(problems.map(formatProblem)[0]).toContain(`${file}${expected}`);
});

test("a byte order mark is no part of the text", async () => {
  await using tree = await createRecipeTree();
  await tree.write("vendor-sources/tini.yaml", `\ufeff${recipeTreeFiles["vendor-sources/tini.yaml"]}`);
  expect((await readDocument(tree.root, "vendor-sources/tini.yaml", sourceSchema)).document?.value.source).toBe("tini");
});
