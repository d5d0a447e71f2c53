import { digestOf } from "../../../src/oci/digest.ts";
import { expect, test } from "vitest";
import { recipeSchema, releaseSchema } from "../../../src/recipe/schema.ts";
import { renderCatalogueTable } from "../../../src/report/catalogue-table.ts";
import { type Recorded, renderRecordedTable } from "../../../src/report/recorded-table.ts";
import { renderReportPage } from "../../../src/report/html/page.ts";
import { renderOutcomeTable } from "../../../src/report/table.ts";
import { sampleOutcome } from "../../support/outcomes.ts";

const digest = `sha256:${"1".repeat(64)}`;

interface Platforms {
  readonly reproduce?: readonly string[];
  readonly extend?: readonly string[];
  readonly omit?: readonly { readonly platform: string; readonly reason: string }[];
}

function recorded(
  image: string,
  version: string,
  platforms: Platforms,
  expected: Readonly<Record<string, object>>,
  upstream: object = { image: `registry.example/${image}` },
): Recorded {
  const source = { commit: "a".repeat(40), tree: "b".repeat(40), archive: digest, epoch: 1 };
  return {
    recipe: recipeSchema.parse({
      image,
      owners: ["someone"],
      source: image,
      toolchain: "c",
      upstream,
      build: { network: "none" },
      platforms: { reproduce: [], ...platforms },
      smoke: [{ run: ["/x"] }],
    }),
    release: releaseSchema.parse({
      version,
      source,
      toolchain: { digest },
      upstream: { digest, mediaType: "x/y", size: 1, manifests: {} },
      expect: {
        index: digest,
        platforms: Object.fromEntries(
          Object.entries(expected).map(([name, more]) => [name, { manifest: digest, buildKey: digest, ...more }]),
        ),
      },
    }),
  };
}

const equivalent = (level: string): object => ({ verdict: "equivalent", level });

function rowsOf(table: string): string[][] {
  return table
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .map((line) => line.slice(2, -2).split(" | "));
}

test("platforms come in a fixed order, recipes by name, and of one recipe the newest version first", () => {
  const all = [
    recorded("b", "1", { extend: ["linux/zz9", "linux/riscv64", "linux/arm/v7", "linux/amd64"] }, {}),
    recorded("a", "1.9", { reproduce: ["linux/arm64"] }, {}),
    recorded("a", "1.10", { reproduce: ["linux/arm64"] }, {}),
  ];
  const rows = rowsOf(renderRecordedTable(all));
  expect(rows[0]).toEqual(["recipe", "version", "amd64", "arm64", "arm/v7", "riscv64", "zz9"]);
  expect(rows.slice(2).map((cells) => cells.slice(0, 2))).toEqual([
    ["a", "1.10"],
    ["", "1.9"],
    ["b", "1"],
  ]);
  expect(renderRecordedTable(all.toReversed())).toBe(renderRecordedTable(all));
});

test("what is left out counts against the rate, with its reason; what upstream never had does not count for it", () => {
  const omit = [{ platform: "linux/arm64", reason: "the compiler differs" }];
  const table = renderRecordedTable([
    recorded(
      "a",
      "1",
      { reproduce: ["linux/amd64"], omit, extend: ["linux/s390x"] },
      { "linux/amd64": equivalent("explained"), "linux/s390x": { verdict: "extended" } },
    ),
    recorded(
      "b",
      "1",
      { reproduce: ["linux/amd64"], omit },
      { "linux/amd64": { verdict: "identical", level: "config" } },
    ),
    recorded("own", "1", { extend: ["linux/amd64"] }, { "linux/amd64": { verdict: "extended" } }, { none: "ours" }),
    recorded("new", "1", { reproduce: ["linux/amd64"], extend: ["linux/s390x"] }, {}),
  ]);
  expect(rowsOf(table).slice(2)).toEqual([
    ["a", "1", "explained", "left out", "added"],
    ["b", "1", "identical", "left out", ""],
    ["new", "1", "not recorded", "", "not recorded"],
    ["own", "1", "own", "", ""],
  ]);
  expect(table).toContain(
    "Of 5 images that upstream has: 1 identical (20 %), 1 equivalent (20 %), 0 drift (0 %), 0 different (0 %), " +
      "2 left out (40 %), 1 not recorded (20 %). 1 more are for platforms that upstream never released, and 1 are of images of our own.",
  );
  expect(table).toContain("- a for arm64, b for arm64: the compiler differs\n");
});

test("a release from before a platform was left out counts as what it was", () => {
  const omit = [{ platform: "linux/arm64", reason: "later" }];
  const table = renderRecordedTable([
    recorded("a", "1", { extend: ["linux/s390x"], omit }, { "linux/arm64": equivalent("layers") }),
  ]);
  expect(rowsOf(table)[2]).toEqual(["a", "1", "layers", "not recorded"]);
  expect(table).toContain("1 equivalent (100 %)");
  expect(table).not.toContain("Left out:");
});

test("waivers and sizes are told where they were recorded", () => {
  const table = renderRecordedTable([
    recorded(
      "a",
      "1",
      { reproduce: ["linux/arm64", "linux/amd64"] },
      {
        "linux/amd64": { ...equivalent("explained"), size: 2_500_000, waived: 2 },
        "linux/arm64": { ...equivalent("explained"), size: 9_000_000 },
      },
    ),
    recorded("b", "1", { reproduce: ["linux/amd64"] }, { "linux/amd64": equivalent("entries") }),
  ]);
  const rows = rowsOf(table);
  expect(rows[2]).toEqual(["a", "1", "explained, waived", "explained", "2.5 MB"]);
  expect(rows[3]).toEqual(["b", "1", "entries", "", ""]);
  expect(table).toContain("1 of the equivalent ones rest on waivers.");
});

test("rebuilds tell of what is left out in the table, on the page, and in the rate of many", () => {
  const omitted = [{ platform: "linux/s390x", reason: "the <compiler> differs" }] as const;
  const outcome = { ...sampleOutcome(), omitted };
  const table = renderOutcomeTable(outcome, { colour: false });
  expect(table).toContain("; 1 left out, which upstream has");
  expect(table).toContain("linux/s390x:\n  left out, although upstream has it: the <compiler> differs");
  expect(renderReportPage(outcome)).toContain("the &lt;compiler&gt; differs");
  const before = renderCatalogueTable([{ release: "a@1", outcome: sampleOutcome() }], 1);
  const after = renderCatalogueTable([{ release: "a@1", outcome }], 1);
  expect(after).toMatch(/linux\/s390x\s+left out\n/);
  const rate = (text: string): number[] =>
    (/(\d+) platforms that upstream has: .*\((\d+) %/.exec(text) ?? []).slice(1).map(Number);
  const [had = 0, equalBefore = 0] = rate(before);
  const [has = 0, equalAfter = 0] = rate(after);
  expect(has).toBe(had + 1);
  expect(equalAfter).toBeLessThan(equalBefore);
});

test("how a release came out beside what it records is told, and counted where there are many", () => {
  const index = { digest: digestOf("index"), size: 1 };
  const [same, refreshed] = (["same", "refreshed"] as const).map((recorded) => ({
    ...sampleOutcome(),
    index,
    recorded,
  }));
  if (!same || !refreshed) throw new Error("two outcomes were made");
  expect(renderOutcomeTable(same, { colour: false })).toMatch(/^recorded {7}the same index$/m);
  expect(renderOutcomeTable(refreshed, { colour: false })).toMatch(
    /^recorded {7}another index, made from other inputs$/m,
  );
  expect(renderOutcomeTable(sampleOutcome(), { colour: false })).not.toMatch(/^recorded/m);
  const table = renderCatalogueTable(
    [
      { release: "a", outcome: same },
      { release: "b", outcome: refreshed },
    ],
    1,
  );
  expect(table).toContain("1 of 2 gave the index that they record\n");
  expect(table).toMatch(/gave another index, made from other inputs$/m);
});
