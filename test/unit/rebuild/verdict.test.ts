import { describe, expect, test } from "vitest";
import type { Difference, PlatformComparison, PlatformHeadline } from "../../../src/compare/types.ts";
import { digestOf } from "../../../src/oci/digest.ts";
import { judgeExtension, judgeReproduction } from "../../../src/rebuild/verdict.ts";

function comparison(level: PlatformHeadline, differences: Difference[] = []): PlatformComparison {
  const image = { manifest: digestOf("m"), config: digestOf("c"), layers: [] };
  const levels = { manifest: false, config: false, layers: false, entries: false, filesystem: false, explained: false };
  return {
    platform: "linux/amd64",
    level,
    levels,
    differences,
    unexplained: differences.length,
    packages: [{ database: "dpkg", name: "libc6", left: "2.41-12", right: "2.41-13" }],
    normalisers: [],
    warnings: [],
    left: image,
    right: image,
  };
}

function difference(name: string, paths: string[], weight: Difference["weight"] = "unexplained"): Difference {
  return { class: name, scope: "filesystem", count: paths.length, paths, detail: "", weight };
}

const waiver = { reason: "build id", owner: "someone", expires: "2030-01-01" };

describe("a platform that upstream has", () => {
  test.each([
    ["manifest", "identical"],
    ["config", "identical"],
    ["layers", "equivalent"],
    ["entries", "equivalent"],
    ["filesystem", "equivalent"],
    ["explained", "equivalent"],
    ["drift", "drift"],
  ] as const)("equal at %s is %s and may be released", (level, verdict) => {
    expect(judgeReproduction(comparison(level))).toMatchObject({ verdict, releasable: true });
  });

  test("different is not released, and the sentence names what differs", () => {
    const judged = judgeReproduction(comparison("different", [difference("file-mode", ["/app"])]));
    expect(judged).toMatchObject({ verdict: "different", releasable: false });
    expect(judged.explanation).toContain("file-mode (1)");
  });

  test("what is waived is said, with who answers for it", () => {
    const waived = { ...difference("file-content", ["/app"], "explained"), proof: "declared", waiver } as const;
    const judged = judgeReproduction(comparison("explained", [waived]));
    expect(judged).toMatchObject({ verdict: "equivalent", releasable: true });
    expect(judged.explanation).toContain("waived: build id (someone, until 2030-01-01)");
  });

  test("drift names the packages and both versions", () => {
    expect(judgeReproduction(comparison("drift")).explanation).toContain("libc6 2.41-12 -> 2.41-13");
  });
});

describe("a platform that upstream never released", () => {
  test("other contents under the same names are parity", () => {
    const parity = comparison("different", [
      difference("file-content", ["/app"]),
      difference("config-created", [], "benign"),
      difference("config-platform", ["architecture"]),
    ]);
    expect(judgeExtension(parity, "linux/amd64")).toMatchObject({ verdict: "extended", releasable: true });
  });

  test.each(["file-mode", "entry-missing-right", "runtime-config", "link-target", "config-platform"])(
    "%s breaks parity",
    (name) => {
      expect(judgeExtension(comparison("different", [difference(name, ["/app"])]), "linux/amd64")).toMatchObject({
        verdict: "different",
        releasable: false,
      });
    },
  );

  const libraries = (left: string[], right: string[]): PlatformComparison =>
    comparison("different", [difference("entry-missing-right", left), difference("entry-missing-left", right)]);

  test("what Go compiled, in the folder of its platform, is parity, and one library less is none", () => {
    const compiled = (platform: string): string[] => [
      `/usr/lib/go-1.19/pkg/${platform}`,
      `/usr/lib/go-1.19/pkg/${platform}/fmt.a`,
      `/usr/lib/go-1.19/pkg/tool/${platform}/compile`,
    ];
    const [amd64, riscv64] = [compiled("linux_amd64"), compiled("linux_riscv64")];
    expect(judgeExtension(libraries(amd64, riscv64), "linux/amd64")).toMatchObject({ verdict: "extended" });
    expect(judgeExtension(libraries(amd64, riscv64.slice(0, 2)), "linux/amd64")).toMatchObject({
      verdict: "different",
    });
    const elsewhere = libraries(["/opt/linux_amd64/app"], ["/opt/linux_riscv64/app"]);
    expect(judgeExtension(elsewhere, "linux/amd64")).toMatchObject({ verdict: "different" });
  });

  test("libraries in the folder of their platform, and its loader, are parity", () => {
    const parity = libraries(
      ["/usr/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu/libc.so.6", "/usr/lib64/ld-linux-x86-64.so.2"],
      ["/usr/lib/arm-linux-gnueabihf", "/usr/lib/arm-linux-gnueabihf/libc.so.6", "/usr/lib/ld-linux-armhf.so.3"],
    );
    expect(judgeExtension(parity, "linux/amd64")).toMatchObject({ verdict: "extended", releasable: true });
  });

  test.each([
    ["/usr/lib64/ld-linux-x86-64.so.2", "/usr/lib/ld-linux.so.2", "extended"],
    ["/usr/lib64/ld-linux-x86-64.so.2", "/bin/busybox", "different"],
  ])("one link to %s and to %s is %s", (left, right, verdict) => {
    const link = { ...difference("link-target", ["/usr/bin/ld.so"]), detail: `target ${left} and ${right}` };
    expect(judgeExtension(comparison("different", [link]), "linux/amd64").verdict).toBe(verdict);
    const several = { ...link, count: 2, paths: ["/usr/bin/a", "/usr/bin/ld.so"] };
    expect(judgeExtension(comparison("different", [several]), "linux/amd64").verdict).toBe("different");
  });

  test.each([
    ["a library that only one has", ["/usr/lib/x86_64-linux-gnu/libmvec.so.1"], []],
    ["another version", ["/usr/lib/x86_64-linux-gnu/libz.so.1"], ["/usr/lib/aarch64-linux-gnu/libz.so.2"]],
    ["another folder", ["/usr/lib/x86_64-linux-gnu/a"], ["/lib/aarch64-linux-gnu/a"]],
    ["a loader that is none", ["/usr/bin/ld-linux-x86-64.so.2"], ["/usr/sbin/ld-linux-aarch64.so.1"]],
  ])("%s breaks parity", (_, left, right) => {
    expect(judgeExtension(libraries(left, right), "linux/amd64")).toMatchObject({ verdict: "different" });
  });

  test("what is waived does not hide that the rest is renamed only", () => {
    const waived = { ...difference("entry-missing-right", ["/usr/bin/x"], "explained"), waiver } as const;
    const renamed = libraries(["/usr/lib/x86_64-linux-gnu/a"], ["/usr/lib/s390x-linux-gnu/a"]).differences;
    expect(judgeExtension(comparison("different", [waived, ...renamed]), "linux/amd64").verdict).toBe("extended");
  });

  test("what is not listed whole is not taken for renamed", () => {
    const [left, right] = [["/usr/lib/x86_64-linux-gnu/a"], ["/usr/lib/s390x-linux-gnu/a"]];
    const parity = comparison("different", [
      { ...difference("entry-missing-right", left), count: 2 },
      difference("entry-missing-left", right),
    ]);
    expect(judgeExtension(parity, "linux/amd64")).toMatchObject({ verdict: "different" });
  });
});
