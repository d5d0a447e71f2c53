import { digestOf } from "../../src/oci/digest.ts";
import type { Outcome, PlatformOutcome } from "../../src/outcome.ts";

const levels = { manifest: false, config: false, layers: false, entries: true, filesystem: true };

/** An outcome with one platform of each kind; `text` goes wherever a recipe, a build or an image chooses the words. */
export function sampleOutcome(text = "plain"): Outcome {
  const image = { manifest: digestOf("m"), config: digestOf("c"), layers: [] };
  const common = {
    buildKey: digestOf("key"),
    unexplained: 0,
    cached: false,
    seconds: 5.25,
    timings: [
      { stage: "build", seconds: 5, reused: false },
      { stage: "smoke", seconds: 0.25, reused: true },
    ],
    smoke: [{ command: ["/app", text], stdout: text, emulated: true }],
    log: `line one\n${text}\n`,
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
      comparison: {
        platform: "linux/amd64",
        level: "entries",
        levels,
        unexplained: 0,
        left: image,
        right: image,
        differences: [
          { class: "config-created", scope: "config", count: 1, paths: [text], detail: text, weight: "benign" },
        ],
      },
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
    },
    {
      ...common,
      platform: "linux/arm/v7",
      origin: "upstream",
      manifest: null,
      rebuilt: null,
      verdict: "build-failed",
      level: "build-failed",
      explanation: `RUN make failed: ${text}`,
      logFile: "out/x/logs/linux-arm-v7.log",
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
