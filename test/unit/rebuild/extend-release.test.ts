import { expect, test } from "vitest";
import { extendRelease } from "../../../src/rebuild/extend-release.ts";
import { loadReleaseInputs } from "../../../src/recipe/load.ts";
import { createRecipeTree } from "../../support/recipes.ts";

test("a platform is added to one release alone, and none that upstream has is made in its place", async () => {
  await using tree = await createRecipeTree();
  await tree.edit(
    "recipes/images/tini/recipe.yaml",
    "  extend:",
    "  omit: [{ platform: linux/386, reason: its compiler is none that we have }]\n  extend:",
  );
  const inputs = await loadReleaseInputs(tree.root, "tini", { version: "0.19.0", today: "2026-11-20" });
  const extended = extendRelease(inputs, ["linux/s390x"]);
  expect(extended.inputs.recipe.platforms.extend).toEqual(["linux/riscv64", "linux/s390x"]);
  expect(extended.tag).toBe("0.19.0-with-linux-s390x");
  expect(() => extendRelease(inputs, ["linux/386"])).toThrow(
    "tini leaves linux/386 out, which upstream has: its compiler is none that we have",
  );
});
