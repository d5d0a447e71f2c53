import type { NightlyPlatform, NightlyRelease, NightlyRun } from "../../../src/nightly-run.ts";
import { digestOf } from "../../../src/oci/digest.ts";
import type { PlatformName } from "../../../src/oci/platform.ts";
import type { Verdict } from "../../../src/outcome.ts";

/** One platform of a run as a nightly run writes it; a verdict and what differs follow from each other. */
function samplePlatform(platform: PlatformName, verdict: Verdict, text = "plain"): NightlyPlatform {
  const differs = verdict === "different";
  const created = { class: "config-created", count: 1, weight: "benign", detail: text, paths: [] } as const;
  const content = {
    class: "file-content",
    count: 41,
    weight: "unexplained",
    detail: `content differs ${text}`,
    paths: Array.from({ length: 20 }, (_, at) => `/usr/lib/python3.13/site-packages/${text}/module_${at}.py`),
  } as const;
  return {
    platform,
    verdict,
    level:
      verdict === "extended"
        ? "no-upstream"
        : verdict === "build-failed"
          ? "build-failed"
          : differs
            ? "different"
            : "entries",
    origin: verdict === "extended" ? "rebuilt" : "upstream",
    unexplained: differs ? content.count : 0,
    buildKey: digestOf(`key ${platform}`),
    manifest: verdict === "build-failed" ? null : digestOf(`manifest ${platform}`),
    rebuilt: verdict === "build-failed" ? null : digestOf(`rebuilt ${platform}`),
    cached: false,
    seconds: 12.5,
    explanation: verdict === "build-failed" ? `RUN make failed: ${text}\nmore` : `explanation ${text}`,
    differences: differs ? [created, content] : verdict === "equivalent" ? [created] : [],
  };
}

/** A release of a run that was rebuilt, with the platforms and verdicts given. */
export function sampleRelease(
  recipe: string,
  version: string,
  verdicts: Readonly<Record<PlatformName, Verdict>>,
  more: Partial<NightlyRelease> = {},
): NightlyRelease {
  const platforms = Object.entries(verdicts).map(([name, verdict]) => samplePlatform(name as PlatformName, verdict));
  return {
    recipe,
    version,
    status: "rebuilt",
    reason: { code: "source-changed", sentence: "its source is another" },
    index: digestOf(`${recipe} ${version}`),
    seconds: 25,
    attempts: 1,
    platforms,
    report: `${recipe}/${version}/report.html`,
    ...more,
  };
}

/** A run of the day that is `day` days after 2026-01-01. */
export function sampleRun(
  day: number,
  releases: readonly NightlyRelease[],
  more: Partial<NightlyRun> = {},
): NightlyRun {
  const started = new Date(Date.UTC(2026, 0, 1 + day, 2)).toISOString().replace(".000", "");
  return {
    schema: "refoundry/nightly/v1",
    id: started.replaceAll(":", ""),
    startedAt: started,
    finishedAt: started.replace("T02:00:00", "T03:12:30"),
    factory: "https://factory.example/workflows/nightly",
    releases,
    notices: [],
    ...more,
  };
}

/** A few weeks of a small factory, newest first: what got better, worse, failed, came and went. */
export function sampleRuns(text = "plain", days = 20): NightlyRun[] {
  const run = (day: number): NightlyRun => {
    const bad = day >= days - 3;
    const kept = day % 3 === 0 ? ({ status: "kept" } as const) : {};
    const app = sampleRelease("app", "2.10.0", {
      "linux/amd64": "identical",
      "linux/arm64": bad ? "different" : "equivalent",
      "linux/riscv64": "extended",
    });
    const broken = sampleRelease(
      "broken",
      "1.0",
      {},
      {
        status: "failed",
        attempts: 3,
        index: null,
        failure: {
          errorClass: "build",
          message: `RUN make failed with exit code 2 ${text}\ncc1: error: ${text}\nmake: *** [all] Error 1`,
        },
      },
    );
    const whole = sampleRelease("broken", "1.0", { "linux/amd64": "equivalent", "linux/arm64": "equivalent" });
    return sampleRun(
      day,
      [
        {
          ...app,
          ...kept,
          platforms: app.platforms.map((platform) => ({ ...platform, explanation: `${platform.explanation} ${text}` })),
        },
        sampleRelease("app", "2.9.1", { "linux/amd64": "equivalent", "linux/arm64": "equivalent" }, { status: "kept" }),
        ...(day < 5 ? [sampleRelease("app", "1.0", { "linux/amd64": "drift" })] : []),
        day === days - 1 ? broken : whole,
        sampleRelease("tool", "0.19.0", {
          "linux/amd64": "equivalent",
          "linux/arm/v7": bad ? "build-failed" : "equivalent",
          "linux/loong64": "extended",
        }),
        ...(day < 3 ? [sampleRelease("gone", "3", { "linux/amd64": "identical" })] : []),
      ],
      {
        notices: bad
          ? [
              {
                code: "upstream-moved",
                recipe: "app",
                version: "2.9.1",
                sentence: `the tag 2.9.1 names another image ${text}`,
              },
              { code: "waiver-expires", recipe: "tool", sentence: "the waiver of elf-build-id ends on 2026-02-01" },
            ]
          : [],
      },
    );
  };
  return Array.from({ length: days }, (_, at) => run(days - 1 - at));
}
