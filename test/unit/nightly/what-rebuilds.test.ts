import { expect, test } from "vitest";
import { whatRebuilds } from "../../../src/nightly/what-rebuilds.ts";
import { loadRecipe, loadRelease } from "../../../src/recipe/load.ts";

const root = new URL("../../..", import.meta.url).pathname;
const of = async (name: string, version: string): Promise<string[]> => {
  const recipe = await loadRecipe(root, name);
  const triggers = whatRebuilds(recipe, await loadRelease(root, name, version));
  return triggers.map(({ code, sentence }) => `${code} ${sentence}`);
};

test("every input of the build keys is named with what it is now, and what only smoke tests use is not", async () => {
  const etcd = await of("etcd", "3.4.23");
  for (const part of [
    /^source-changed another commit of etcd than [0-9a-f]{12}$/,
    /^dockerfile-changed .*recipes\/images\/etcd\/Dockerfile/,
    /^toolchain-changed .* golang than that of 1\.19\.8,/,
    /^base-changed the context packages: another go-bookworm than bookworm-/,
    /^base-changed the context base: another image of base than that of 12\.4\+deb12u15, sha256:/,
    /^factory-changed another builder than .+, normaliser than /,
  ])
    expect(
      etcd.filter((line) => part.test(line)),
      String(part),
    ).toHaveLength(1);
  expect(etcd.join("\n")).not.toContain("clients");
});

test("a toolchain that is a list of packages is another by its lock, one that is a recipe by its image", async () => {
  const golang = await of("golang", "1.19.8");
  expect(golang.join("\n")).toMatch(/^toolchain-changed another lock of the toolchain go-bootstrap than bookworm-/m);
  const registry = await of("registry", "2.8.2");
  expect(registry.join("\n")).toMatch(
    /^toolchain-changed another image of the toolchain golang than that of 1\.19\.8,/m,
  );
});

test("a second source is an input, and the first waiver to end is a date", async () => {
  const base = await of("static", "12.4+deb12u15");
  expect(base.join("\n")).toMatch(/^base-changed the context \S+: another commit of tzdata than [0-9a-f]{12}/m);
  expect(base.join("\n")).toMatch(/^waiver-expired the end of a waiver, first on \d{4}-\d\d-\d\d$/m);
});
