import { expect, test } from "vitest";
import { capsuleTag } from "../../../src/escrow/read-capsule.ts";
import { isTag } from "../../../src/oci/reference.ts";

test("no two releases share the tag of a capsule, and each is a tag", () => {
  const releases = [
    ["tool", "1.0"],
    ["tool_a", "1.0"],
    ["tool", "a_1.0"],
    ["tool", "1.0+b"],
    ["tool", "1.0~b"],
    ["tool", "1.0_b"],
    ["runtime-bookworm", "redis-3.6.8"],
    ["runtime-bookworm-redis", "3.6.8"],
    ["tool", "1".repeat(200)],
    ["tool", `${"1".repeat(200)}2`],
  ] as const;
  const tags = releases.map(([recipe, version]) => capsuleTag(recipe, version));
  expect(new Set(tags).size).toBe(releases.length);
  expect(tags.every(isTag)).toBe(true);
  expect(tags[0]).toBe("tool__1.0");
});
