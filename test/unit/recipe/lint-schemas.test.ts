import { readdir, readFile } from "node:fs/promises";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { schemaFiles } from "../../../scripts/write-schemas.ts";
import { lint } from "../../../src/recipe/lint.ts";
import { createRecipeTree, recipeTreeFiles } from "../../support/recipes.ts";

const kinds = [
  ["recipe", "recipes/images/tini/recipe.yaml"],
  ["release", "recipes/images/tini/releases/0.19.0.yaml"],
  ["toolchain", "recipes/toolchains/debian-c/toolchain.yaml"],
  ["lock", "recipes/toolchains/debian-c/locks/trixie-20260912.yaml"],
  ["source", "vendor-sources/tini.yaml"],
] as const;

function validatorOf(name: string): (data: unknown) => boolean {
  const ajv = new Ajv2020({ allErrors: true, strict: true, strictTypes: false });
  formats.default(ajv);
  return ajv.compile(JSON.parse(schemaFiles().get(`${name}.schema.json`) ?? "{}") as object);
}

test("the files in schemas/ are in step with the code", async () => {
  const files = schemaFiles();
  const written = (await readdir("schemas")).filter((name) => name.endsWith(".json"));
  expect(written.toSorted()).toEqual([...files.keys()].toSorted());
  for (const [name, text] of files)
    expect(await readFile(`schemas/${name}`, "utf8"), "npm run schemas writes them").toBe(text);
});

test.each(kinds)("a %s that is right is right by its JSON Schema too", (name, file) => {
  const valid = validatorOf(name);
  expect(valid(parse(recipeTreeFiles[file]))).toBe(true);
  expect(valid({ ...(parse(recipeTreeFiles[file]) as object), unknown: 1 })).toBe(false);
  expect(valid({})).toBe(false);
});

test("what no editor may complete", () => {
  const recipe = parse(recipeTreeFiles["recipes/images/tini/recipe.yaml"]) as Record<string, unknown>;
  const valid = validatorOf("recipe");
  expect(valid({ ...recipe, platforms: { reproduce: ["amd64"] } })).toBe(false);
  expect(valid({ ...recipe, build: { network: "host" } })).toBe(false);
  expect(valid({ ...recipe, owners: [] })).toBe(false);
  const { waivers: _, ...without } = recipe;
  expect(valid(without)).toBe(true);
  const release = parse(recipeTreeFiles["recipes/images/tini/releases/0.19.0.yaml"]) as Record<string, unknown>;
  expect(validatorOf("release")({ ...release, toolchain: { digest: "sha256:12" } })).toBe(false);
});

test("a mirror file", () => {
  const valid = validatorOf("mirror");
  expect(valid({ mirrors: [{ image: "docker.io/library/busybox", tags: ["1.37"], to: "busybox" }] })).toBe(true);
  expect(valid({ mirrors: [] })).toBe(false);
});

test("a line that tells an editor of the schema is no problem to lint", async () => {
  await using tree = await createRecipeTree();
  const [, file] = kinds[0];
  await tree.write(
    file,
    `# yaml-language-server: $schema=../../../schemas/recipe.schema.json\n${recipeTreeFiles[file]}`,
  );
  expect(await lint(tree.root, { today: "2026-11-20" })).toEqual([]);
});
