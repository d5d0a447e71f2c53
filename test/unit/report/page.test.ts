import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Outcome, PlatformOutcome } from "../../../src/outcome.ts";
import { renderReportPage } from "../../../src/report/html/page.ts";
import { renderOutcomeTable } from "../../../src/report/table.ts";
import { widthOf } from "../../../src/report/text.ts";
import { everyStringAs, sampleOutcome } from "../../support/outcomes.ts";

const hostile = `</style></pre></title><script>alert(1)</script>"'><img src=x onerror=x> \u001b]0;t\u0007\u009b31m\u0000\u202e\ud800`;

function skeletonOf(page: string): string {
  // contents of attributes aside, what is left when text is taken out is the page's own markup
  return page.replaceAll(/"[^"]*"/g, '""').replaceAll(/>[^<]*</g, "><");
}

/** The sample with its second platform, the one that upstream never released, changed. */
function withAddition(change: Partial<PlatformOutcome>): Outcome {
  const outcome = sampleOutcome();
  return {
    ...outcome,
    platforms: outcome.platforms.map((platform) =>
      platform.platform === "linux/riscv64" ? { ...platform, ...change } : platform,
    ),
  };
}

function rowOf(page: string, platform: string): string {
  const start = page.indexOf(`<a href="#${platform.replaceAll("/", "-")}">`);
  return page.slice(start, page.indexOf("</tr>", start));
}

describe("a page of an outcome that somebody tampered with", () => {
  test("has the markup of any other, whichever strings are hostile", () => {
    const page = renderReportPage(everyStringAs(hostile));
    expect(skeletonOf(page)).toBe(skeletonOf(renderReportPage(everyStringAs("harmless"))));
    expect(page).not.toMatch(/[^\P{Cc}\n\t]/u);
    expect(page.isWellFormed()).toBe(true);
  });

  test("is a table without control characters on a terminal", () => {
    const table = renderOutcomeTable(everyStringAs(hostile), { colour: false });
    expect(table.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\u202a-\u202e]/u);
  });
});

describe("the page", () => {
  const page = renderReportPage(sampleOutcome());

  test("may load nothing, and its one style is the one that its policy names", () => {
    const style = /<style>(.*)<\/style>/s.exec(page)?.[1] ?? "";
    expect(page).toContain(
      `content="default-src &#39;none&#39;; style-src &#39;sha256-${createHash("sha256").update(style).digest("base64")}&#39;;`,
    );
    expect(page).not.toMatch(/<script|<link rel="stylesheet|\sstyle="|(src|href)="(?!#|data:,")|url\(|@import/);
  });

  test("heads every column and row of its tables", () => {
    const heads = page.match(/<th\b[^>]*>/g) ?? [];
    expect(heads.length).toBeGreaterThan(20);
    for (const head of heads) expect(head).toMatch(/scope="(col|row)"/);
  });

  test("never shows a platform that upstream never released as a match, whatever a comparison says", () => {
    const all = { manifest: true, config: true, layers: true, entries: true, filesystem: true, explained: true };
    const [first] = sampleOutcome().platforms;
    if (!first?.comparison) throw new Error("the sample begins with a compared platform");
    const row = rowOf(
      renderReportPage(withAddition({ comparison: { ...first.comparison, level: "manifest", levels: all } })),
      "linux/riscv64",
    );
    expect(row).toContain("never released upstream; parity with linux/amd64");
    expect(row).not.toMatch(/class="mark|aria-label="equal"|✓/);
    expect(rowOf(page, "linux/amd64").match(/aria-label="equal"/g)).toHaveLength(2);
  });

  test("says when an addition has no parity, no sibling, or did not build", () => {
    const said = (change: Partial<PlatformOutcome>): string =>
      rowOf(renderReportPage(withAddition(change)), "linux/riscv64");
    expect(said({ verdict: "different" })).toContain("no parity with linux/amd64");
    expect(said({ verdict: "build-failed", level: "build-failed" })).toContain("the rebuild failed");
    const { comparison: _, ...alone } = sampleOutcome().platforms[1] ?? {};
    const outcome = sampleOutcome();
    const platforms = outcome.platforms.map((platform, position) =>
      position === 1 ? (alone as PlatformOutcome) : platform,
    );
    expect(rowOf(renderReportPage({ ...outcome, platforms }), "linux/riscv64")).toContain("no sibling platform");
  });

  test("counts what differs and shows examples, and how smoke tests ran", () => {
    expect(page).toContain("module_19.py");
    expect(page).not.toContain("module_20.py");
    expect(page).toContain("and 4301 more");
    expect(page).toContain("1 smoke test passed, natively");
    expect(page).toContain("1 smoke test passed, under emulation");
  });

  test("shows digests whole, and the command that does it again", () => {
    const { index } = sampleOutcome();
    expect(page).toContain(`>${index?.digest}<`);
    expect(page).toContain("refoundry rebuild sample@plain<");
  });

  test("claims no index where nothing was released", () => {
    const unreleased = renderReportPage({ ...sampleOutcome(), index: null });
    expect(unreleased).toContain("Nothing was released.");
    expect(unreleased).not.toContain("Released to");
    expect(rowOf(unreleased, "linux/amd64")).toContain(">nothing<");
  });

  test("begins a cut log at a whole line and says where all of it is", () => {
    const outcome = sampleOutcome();
    const log = Array.from({ length: 60_000 }, (_, number) => `строка ${number}`).join("\n");
    const cut = renderReportPage({
      ...outcome,
      platforms: outcome.platforms.map((platform) => ({ ...platform, log, logFile: "logs/here.log" })),
    });
    const shown = /aria-label="Build log of linux\/amd64">([^<]*)</.exec(cut)?.[1] ?? "";
    expect(Buffer.byteLength(shown)).toBeLessThanOrEqual(400 * 1024);
    expect(Buffer.byteLength(shown)).toBeGreaterThan(399 * 1024);
    expect(shown).toMatch(/^строка \d+\n/);
    expect(shown).toMatch(/строка 59999$/);
    expect(cut).toContain("The last 400 KiB; the whole log is logs/here.log.");
  });
});

describe("the table", () => {
  const lines = (outcome: Outcome, width?: number): string[] =>
    renderOutcomeTable(outcome, { colour: false, ...(width !== undefined && { width }) }).split("\n");

  test("begins with how it came out", () => {
    expect(lines(sampleOutcome())[1]).toBe(
      "sample plain  5 platforms: 1 identical to upstream, 1 equivalent to upstream, " +
        "1 added, which upstream never released, 1 different, 1 failed",
    );
  });

  test("fits 100 columns, whatever the names", () => {
    const rows = lines(everyStringAs("long-".repeat(100))).filter((line) => line.includes("…"));
    expect(rows.length).toBeGreaterThan(4);
    const start = lines(sampleOutcome()).findIndex((line) => line.startsWith("platform"));
    const table = lines(sampleOutcome()).slice(start, start + 7);
    const longTable = lines(everyStringAs("long-".repeat(100))).slice(start, start + 7);
    for (const line of [...table, ...longTable]) expect(widthOf(line)).toBeLessThanOrEqual(100);
  });

  test("breaks explanations between words where a width is given, and not otherwise", () => {
    const text = "word ".repeat(60).trim();
    expect(lines(sampleOutcome(text)).some((line) => line.length > 200)).toBe(true);
    const explanations = lines(sampleOutcome(text), 80).filter((line) => line.startsWith("  "));
    expect(explanations.length).toBeGreaterThan(8);
    for (const line of explanations) expect(line.length).toBeLessThanOrEqual(80);
  });

  test("takes colour only when asked, and for the verdict", () => {
    const coloured = renderOutcomeTable(sampleOutcome(), { colour: true });
    expect(coloured).toMatch(/linux\/amd64 +\u001b\[32mequivalent/);
    expect(coloured).toMatch(/linux\/riscv64 +\u001b\[36mextended/);
    expect(coloured).toMatch(/linux\/s390x +\u001b\[31mdifferent/);
  });
});
