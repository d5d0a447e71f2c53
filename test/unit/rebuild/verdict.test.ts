import { describe, expect, test } from "vitest";
import type { Difference, PlatformComparison, PlatformLevel } from "../../../src/compare/types.ts";
import { digestOf } from "../../../src/oci/digest.ts";
import { judgeExtension, judgeReproduction } from "../../../src/rebuild/verdict.ts";

function comparison(level: PlatformLevel | "different", differences: Difference[] = []): PlatformComparison {
  const image = { manifest: digestOf("m"), config: digestOf("c"), layers: [] };
  const levels = { manifest: false, config: false, layers: false, entries: false, filesystem: false };
  return {
    platform: "linux/amd64",
    level,
    levels,
    differences,
    unexplained: differences.length,
    left: image,
    right: image,
  };
}

function difference(name: string, paths: string[], weight: Difference["weight"] = "unexplained"): Difference {
  return { class: name, scope: "filesystem", count: paths.length, paths, detail: "", weight };
}

const waiver = { class: "file-content", paths: ["/app"], reason: "build id", owner: "someone", expires: "2030-01-01" };

describe("a platform that upstream has", () => {
  test.each([
    ["manifest", "identical"],
    ["config", "identical"],
    ["layers", "equivalent"],
    ["entries", "equivalent"],
    ["filesystem", "equivalent"],
  ] as const)("equal at %s is %s and may be released", (level, verdict) => {
    expect(judgeReproduction(comparison(level), [])).toMatchObject({ verdict, releasable: true });
  });

  test("different is not released, and the sentence names what differs", () => {
    const judged = judgeReproduction(comparison("different", [difference("file-mode", ["/app"])]), []);
    expect(judged).toMatchObject({ verdict: "different", releasable: false });
    expect(judged.explanation).toContain("file-mode (1)");
  });

  test("a waiver lets it out, but it stays different and says why", () => {
    const judged = judgeReproduction(comparison("different", [difference("file-content", ["/app"])]), [waiver]);
    expect(judged).toMatchObject({ verdict: "different", releasable: true });
    expect(judged.explanation).toContain("build id (someone, until 2030-01-01)");
  });

  test.each([
    ["another class", [difference("file-mode", ["/app"])]],
    ["another path", [difference("file-content", ["/app", "/other"])]],
    ["one difference more", [difference("file-content", ["/app"]), difference("file-owner", ["/app"])]],
    ["paths that were cut off", [{ ...difference("file-content", ["/app"]), count: 500 }]],
  ])("a waiver does not cover %s", (_, differences) => {
    expect(judgeReproduction(comparison("different", differences), [waiver]).releasable).toBe(false);
  });

  test("different without a named difference is never waived", () => {
    expect(judgeReproduction(comparison("different"), [waiver]).releasable).toBe(false);
  });
});

describe("a platform that upstream never released", () => {
  test("other contents under the same names are parity", () => {
    const parity = comparison("different", [
      difference("file-content", ["/app"]),
      difference("config-created", [], "benign"),
      difference("config-platform", ["architecture"]),
    ]);
    expect(judgeExtension(parity, "linux/amd64", [])).toMatchObject({ verdict: "extended", releasable: true });
  });

  test.each(["file-mode", "entry-missing-right", "runtime-config", "link-target", "config-platform"])(
    "%s breaks parity",
    (name) => {
      expect(judgeExtension(comparison("different", [difference(name, ["/app"])]), "linux/amd64", [])).toMatchObject({
        verdict: "different",
        releasable: false,
      });
    },
  );
});
