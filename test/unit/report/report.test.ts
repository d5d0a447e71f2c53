import { PassThrough } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { FactoryEvent } from "../../../src/events.ts";
import { renderReportPage } from "../../../src/report/html/page.ts";
import { renderPlan } from "../../../src/report/plan-table.ts";
import { createRenderer, type RendererStream } from "../../../src/report/progress.ts";
import { renderOutcomeTable } from "../../../src/report/table.ts";
import { formatSeconds } from "../../../src/report/text.ts";
import { sampleOutcome } from "../../support/outcomes.ts";

const hostile = `</pre></script><script>alert(1)</script><img src=x onerror="x"> ' " & \u001b]0;title\u0007\u001b[31m\u202e`;

describe("the page", () => {
  test("is the same bytes for the same outcome", () => {
    expect(renderReportPage(sampleOutcome())).toBe(renderReportPage(sampleOutcome()));
  });

  test("lets no text of a recipe, build or image become markup or terminal control", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.constant(hostile),
          fc.string({ unit: fc.constantFrom("<", ">", "&", '"', "'", "/", "a", "\u001b", "=", " ") }),
        ),
        (text) => {
          const page = renderReportPage(sampleOutcome(text));
          expect(page).not.toMatch(/<(script|img|iframe|object|embed|form|base)\b/i);
          expect(page).not.toMatch(/\son[a-z]+="/i);
          expect(page).not.toContain("\u001b");
          const plain = renderReportPage(sampleOutcome("plain"));
          expect(page.match(/<[a-z]+/g)).toEqual(plain.match(/<[a-z]+/g));
        },
      ),
    );
  });

  test("shows the end of a log that is too long", () => {
    const outcome = sampleOutcome();
    const log = `first line\n${"x".repeat(2_000_000)}\nlast line`;
    const page = renderReportPage({
      ...outcome,
      platforms: outcome.platforms.map((platform) => ({ ...platform, log })),
    });
    expect(page.length).toBeLessThan(outcome.platforms.length * 500_000);
    expect(page).toContain("last line");
    expect(page).not.toContain("first line");
  });
});

describe("the table", () => {
  test("says platform, verdict, level, whose manifest, and where everything is", () => {
    const table = renderOutcomeTable(sampleOutcome(), { colour: false });
    expect(table).toMatch(/linux\/amd64\s+equivalent\s+entries\s+upstream/);
    expect(table).toMatch(/linux\/riscv64\s+extended\s+\(no upstream\)\s+ours/);
    expect(table).toContain("whole log of linux/arm/v7: out/x/logs/linux-arm-v7.log");
    expect(table).toMatch(/release index {2}sha256:[0-9a-f]{64}/);
    expect(table).toContain("out/sample/1/report.html");
  });

  test("has no escape sequence of anybody else's, and none at all without colour", () => {
    expect(renderOutcomeTable(sampleOutcome(hostile), { colour: false }).replaceAll(hostile, "")).not.toContain(
      "\u001b[31m",
    );
  });

  test("says when nothing was released", () => {
    expect(renderOutcomeTable({ ...sampleOutcome(), index: null }, { colour: false })).toContain(
      "nothing was released",
    );
  });
});

function record(
  kind: "plain" | "live" | "json",
  events: readonly FactoryEvent[],
  times: readonly number[] = [],
): string {
  const stream: PassThrough & RendererStream = Object.assign(new PassThrough(), {
    isTTY: kind === "live",
    columns: 60,
  });
  const clock = times[Symbol.iterator]();
  const renderer = createRenderer({ stream, kind, now: () => clock.next().value ?? 0 });
  for (const event of events) renderer.emit(event);
  renderer.close();
  return String(stream.read() ?? "");
}

const started: FactoryEvent = { type: "stage-started", stage: "build", platform: "linux/arm64", title: "build" };
const finished: FactoryEvent = {
  type: "stage-finished",
  stage: "build",
  platform: "linux/arm64",
  outcome: "done",
  detail: "sha256:abc",
  seconds: 5,
};
const doing = (text: string): FactoryEvent => ({
  type: "stage-progress",
  stage: "build",
  platform: "linux/arm64",
  doing: text,
});

describe("progress", () => {
  test("in a pipe is plain lines, with at most one every five seconds of what runs", () => {
    const text = record(
      "plain",
      [started, doing("one"), doing("two"), doing("three"), finished],
      [0, 1000, 5000, 5000, 6000],
    );
    expect(text.split("\n")).toEqual([
      "[build linux/arm64] build",
      "[build linux/arm64] two",
      "[build linux/arm64] ✓ done in 5.0 s: sha256:abc",
      "",
    ]);
  });

  test("on a terminal keeps a line for each stage that ended, cut to the width", () => {
    const text = record("live", [started, doing("x".repeat(500)), finished]);
    expect(stripVTControlCharacters(text)).toContain("✓ build linux/arm64");
    for (const line of text.split("\n"))
      expect(line.replaceAll(/\u001b\[[0-9;?]*[A-Za-z]/g, "").length).toBeLessThanOrEqual(60);
  });

  test("lets no build drive the terminal", () => {
    for (const kind of ["plain", "live"] as const) {
      const text = record(
        kind,
        [
          { ...started, title: hostile },
          doing(hostile),
          { type: "notice", severity: "warning", message: hostile },
          { ...finished, detail: hostile },
        ],
        [0, 0, 9000, 9000],
      );
      expect(text).not.toContain("\u001b]0;");
      expect(text).not.toContain("\u0007");
      expect(text).not.toContain("\u202e");
    }
  });

  test("as JSON is one event a line", () => {
    expect(
      record("json", [started, finished])
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual([started, finished]);
  });
});

test.each([
  [0.012, "12 ms"],
  [0.44, "0.4 s"],
  [12.4, "12 s"],
  [185, "3 min 5 s"],
])("%d seconds are %s", (seconds, text) => {
  expect(formatSeconds(seconds)).toBe(text);
});

test("a plan counts what is due and lists it first", () => {
  const row = {
    recipe: "a",
    version: "1",
    platform: "linux/amd64",
    due: false,
    reason: { code: "up-to-date", sentence: "there" },
  };
  const text = renderPlan([
    row,
    { ...row, platform: "linux/arm64", due: true, reason: { code: "never-built", sentence: "not there" } },
  ]);
  expect(text.split("\n")[0]).toMatch(/^due {2}a@1 {2}linux\/arm64/);
  expect(text).toContain("1 of 2 builds are due");
});
