import { expect, test } from "vitest";
import { digestOf } from "../../../src/oci/digest.ts";
import { type Refreshed, renderRefresh } from "../../../src/report/refresh-markdown.ts";

const of = (manifest: string, verdict: "identical" | "equivalent") => ({
  manifest: digestOf(manifest),
  buildKey: digestOf("key"),
  verdict,
});

const refreshed: Refreshed = {
  recipe: "tini",
  version: "0.19.0",
  reason: { code: "toolchain-changed", sentence: "the toolchain | <b>changed</b>" },
  before: {
    index: digestOf("a"),
    platforms: { "linux/amd64": of("one", "identical"), "linux/arm64": of("two", "identical") },
  },
  after: {
    index: digestOf("b"),
    platforms: {
      "linux/amd64": of("one", "identical"),
      "linux/arm64": of("other", "equivalent"),
      "linux/riscv64": of("new", "equivalent"),
    },
  },
};

test("each image is told as it was and is, a verdict that changed stands out, and nothing is markup", () => {
  const text = renderRefresh("2026-01-02T020000Z", [refreshed]);
  const row = (platform: string): string => text.split("\n").find((line) => line.includes(platform)) ?? "";
  expect(text.split("\n")[0]).toBe("Record what 1 release gave in the night of 2026-01-02");
  expect(row("linux/amd64")).toMatch(/\| identical \| <code>[0-9a-f]{12}<\/code> \| the same \|$/);
  expect(row("linux/arm64")).toMatch(
    /\| \*\*identical → equivalent\*\* \| <code>\S+ \| <code>[0-9a-f]{12}<\/code> \|$/,
  );
  expect(row("linux/riscv64")).toMatch(/\| equivalent \| not recorded \| <code>/);
  expect(row("toolchain-changed")).toContain("the toolchain &#124; &#60;b&#62;changed");
});

test("however many there are, it has room in a pull request", () => {
  const many = Array.from({ length: 400 }, (_, at) => ({ ...refreshed, version: `1.${at}` }));
  const text = renderRefresh("2026-01-02T020000Z", many);
  expect(text.length).toBeLessThan(65_536);
  expect(text).toMatch(/and \d+ more platforms/);
});
