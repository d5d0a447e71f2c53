import type { Difference, PlatformComparison, PlatformLevel } from "../../src/compare/types.ts";
import { digestOf } from "../../src/oci/digest.ts";
import type { PlatformName } from "../../src/oci/platform.ts";
import type { Outcome, PlatformOutcome } from "../../src/outcome.ts";

function comparisonOf(
  platform: PlatformName,
  level: PlatformLevel | "different",
  equal: readonly PlatformLevel[],
  differences: readonly Difference[],
): PlatformComparison {
  const has = (name: PlatformLevel): boolean => equal.includes(name);
  const image = { manifest: digestOf("m"), config: digestOf("c"), layers: [] };
  return {
    platform,
    level,
    levels: {
      manifest: has("manifest"),
      config: has("config"),
      layers: has("layers"),
      entries: has("entries"),
      filesystem: has("filesystem"),
      explained: has("explained"),
    },
    differences,
    unexplained: differences
      .filter(({ weight }) => weight === "unexplained")
      .reduce((sum, { count }) => sum + count, 0),
    packages: [],
    normalisers: [],
    warnings: [],
    left: image,
    right: image,
  };
}

/** An outcome with one platform of each kind; `text` goes wherever a recipe, a build or an image chooses the words. */
export function sampleOutcome(text = "plain"): Outcome {
  const common = {
    buildKey: digestOf("key"),
    unexplained: 0,
    size: 21_504,
    cached: false,
    seconds: 5.25,
    timings: [
      { stage: "build", seconds: 5, reused: false },
      { stage: "smoke", seconds: 0.25, reused: true },
    ],
    smoke: [{ command: ["/app", text], stdout: text, emulated: true }],
    log: `line one\n${text}\n`,
  };
  const created: Difference = {
    class: "config-created",
    scope: "config",
    count: 1,
    paths: [text],
    detail: text,
    weight: "benign",
  };
  const machineCode: Difference = {
    class: "file-content",
    scope: "filesystem",
    count: 1,
    paths: ["/app"],
    detail: "content 80362ed0bcda and 81f7c39142c9",
    weight: "unexplained",
  };
  const manyFiles: Difference = {
    class: "file-mode",
    scope: "filesystem",
    count: 4321,
    paths: Array.from({ length: 100 }, (_, number) => `/usr/lib/python3.12/site-packages/module_${number}.py`),
    detail: "0644 and 0755",
    weight: "unexplained",
  };
  const platforms: PlatformOutcome[] = [
    {
      ...common,
      platform: "linux/amd64",
      origin: "upstream",
      manifest: digestOf("theirs"),
      rebuilt: digestOf("ours"),
      verdict: "equivalent",
      level: "entries",
      explanation: `every file is equal ${text}`,
      smoke: [{ command: ["/app", text], stdout: text, emulated: false }],
      comparison: comparisonOf("linux/amd64", "entries", ["entries", "filesystem"], [created]),
    },
    {
      ...common,
      platform: "linux/riscv64",
      origin: "rebuilt",
      manifest: digestOf("new"),
      rebuilt: digestOf("new"),
      verdict: "extended",
      level: "no-upstream",
      explanation: "never released",
      comparison: comparisonOf("linux/amd64", "different", [], [machineCode]),
    },
    {
      ...common,
      platform: "linux/arm/v7",
      origin: "upstream",
      manifest: null,
      rebuilt: null,
      verdict: "build-failed",
      level: "build-failed",
      explanation: `RUN make failed: ${text}\ncc: error: ${text}`,
      logFile: "out/x/logs/linux-arm-v7.log",
    },
    {
      ...common,
      platform: "linux/ppc64le",
      origin: "upstream",
      manifest: digestOf("same config"),
      rebuilt: digestOf("same config, ours"),
      verdict: "identical",
      level: "config",
      cached: true,
      explanation: "config and layers have upstream's digests",
      comparison: comparisonOf("linux/ppc64le", "config", ["config", "layers", "entries", "filesystem"], []),
    },
    {
      ...common,
      platform: "linux/s390x",
      origin: "upstream",
      manifest: digestOf("other"),
      rebuilt: digestOf("otherwise"),
      verdict: "different",
      level: "different",
      unexplained: manyFiles.count,
      explanation: "differs from upstream's in file-mode (4321)",
      comparison: comparisonOf("linux/s390x", "different", [], [created, manyFiles]),
    },
  ];
  return {
    schema: "refoundry/outcome/v1",
    recipe: "sample",
    version: text,
    destination: `oci:${text}`,
    index: { digest: digestOf("index"), size: 900 },
    platforms,
    inputs: [{ kind: "source", name: text, version: text, digest: digestOf("source"), origin: text }],
    seconds: 75,
    startedAt: "2026-01-02T03:04:05.000Z",
    report: "out/sample/1/report.html",
  };
}

/** The outcome with every string in it, names and digests too, replaced: what a file that somebody wrote may hold. */
export function everyStringAs(text: string, outcome: Outcome = sampleOutcome()): Outcome {
  const replace = (value: unknown): unknown => {
    if (typeof value === "string") return text;
    if (Array.isArray(value)) return value.map(replace);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replace(item)]));
  };
  return replace(outcome) as Outcome;
}
