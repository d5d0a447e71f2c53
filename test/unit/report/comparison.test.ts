import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { showContent } from "../../../src/compare/evidence/show.ts";
import type { Evidence, FileEvidence } from "../../../src/compare/evidence/types.ts";
import {
  type Comparison,
  type Difference,
  type Level,
  type PlatformComparison,
  type PlatformHeadline,
  platformLevels,
} from "../../../src/compare/types.ts";
import { digestOf } from "../../../src/oci/digest.ts";
import { renderComparisonPage } from "../../../src/report/comparison/html/page.ts";
import { renderComparisonMarkdown } from "../../../src/report/comparison/markdown.ts";
import { summariseComparison } from "../../../src/report/comparison/terminal.ts";

const hostile = `</style></pre></code></details><script>alert(1)</script>"'><img src=x> | @octocat #12 [a](//b) \`\`\`\` \n\n~~~ \u001b]0;t\u0007\u009b31m\u0000\u202e\u200b\ud800`;

function difference(change: Partial<Difference> = {}): Difference {
  return {
    class: "file-content",
    scope: "filesystem",
    count: 1,
    paths: ["/etc/conf"],
    detail: "content 80362ed0bcda and 81f7c39142c9",
    weight: "unexplained",
    ...change,
  };
}

function benign(name: string, scope: Difference["scope"], paths: readonly string[] = []): Difference {
  return difference({ class: name, scope, paths, detail: name, weight: "benign", proof: "normalised-equal" });
}

function platform(
  level: PlatformHeadline,
  differences: readonly Difference[],
  change: Partial<PlatformComparison> = {},
): PlatformComparison {
  const first = platformLevels.findIndex((known) => known === level);
  const image = {
    manifest: digestOf("m"),
    config: digestOf("c"),
    layers: [{ digest: digestOf("l"), diffId: digestOf("d"), size: 1, mediaType: "tar" }],
  };
  const levels = Object.fromEntries(platformLevels.map((name, at) => [name, first !== -1 && at >= first]));
  return {
    platform: "linux/amd64",
    level,
    levels: levels as PlatformComparison["levels"],
    differences,
    unexplained: differences.reduce((sum, { weight, count }) => sum + (weight === "unexplained" ? count : 0), 0),
    packages: [],
    normalisers: [],
    warnings: [],
    left: image,
    right: image,
    ...change,
  };
}

function comparison(
  level: Level,
  platforms: readonly PlatformComparison[],
  change: Partial<Comparison> = {},
): Comparison {
  return {
    schema: "refoundry/comparison/v1",
    left: "first.example/app",
    right: "second.example/app",
    level,
    differences: [],
    platforms,
    onlyLeft: [],
    onlyRight: [],
    ...change,
  };
}

function textFile(path: string, left: string, right: string, change: Partial<FileEvidence> = {}): FileEvidence {
  const shown = showContent(Buffer.from(left), Buffer.from(right));
  return {
    path,
    classes: ["file-content"],
    weight: "unexplained",
    left: { mode: "0644" },
    right: { mode: "0755" },
    shown,
    ...change,
  };
}

function evidenceOf(files: readonly FileEvidence[], omitted = 0): Evidence {
  const documents = [{ name: "config" as const, shown: showContent(Buffer.from("{\n1\n}"), Buffer.from("{\n2\n}")) }];
  return { platforms: [{ platform: "linux/amd64", documents, files, omitted }] };
}

/** A comparison in which every text that an image or recipe chooses is `words`. */
function everyTextAs(words: string): { readonly result: Comparison; readonly evidence: Evidence } {
  const path = `/${words}/${words}`;
  // with a NUL it would be no text
  const asText = words.replaceAll(/[\u0000-\u0008]/g, "");
  const differences = [
    difference({ paths: [path], detail: words }),
    difference({
      class: "file-mode",
      weight: "explained",
      proof: "declared",
      detail: words,
      paths: [path],
      waiver: { reason: words, owner: words, expires: words },
    }),
    difference({ weight: "drift", proof: "drift", paths: [`${path}/b`], detail: words }),
    benign("config-created", "config", [words]),
  ];
  const name = `linux/${words}` as const;
  const image = {
    manifest: digestOf("m"),
    config: digestOf("c"),
    layers: [{ digest: digestOf("l"), diffId: digestOf("d"), size: 1, mediaType: words, encoder: words }],
  };
  const packages = [{ database: "dpkg", name: words, left: words, right: words }] as const;
  const files = [
    textFile(path, `a\n${asText}\nb`, `a\n${asText}!\nb`, { left: { xattrs: words }, right: { [words]: words } }),
    textFile(`${path}/b`, "", asText, { classes: [words], weight: "drift" }),
  ];
  const { documents, omitted } = evidenceOf([]).platforms[0] ?? { documents: [], omitted: 0 };
  return {
    result: comparison(
      "different",
      [platform("different", differences, { platform: name, packages, warnings: [words], left: image, right: image })],
      {
        left: words,
        right: words,
        onlyLeft: [name],
        onlyRight: [name],
        differences: [benign("index-fields", "index", [words])],
      },
    ),
    evidence: { platforms: [{ platform: name, documents, files, omitted }] },
  };
}

const equalImages = comparison("index", [platform("manifest", [])], { levels: { index: true, "index-core": true } });
const retimed = comparison("layers", [platform("layers", [benign("config-created", "config", ["created"])])]);
const drifting = comparison("drift", [
  platform("drift", [difference({ weight: "drift", proof: "drift", count: 12, paths: ["/usr/lib/libssl.so.3"] })], {
    packages: [{ database: "dpkg", name: "libssl3", left: "3.0.15-1", right: "3.0.16-1" }],
  }),
]);

describe("the summary", () => {
  test.each<[string, Comparison, string]>([
    ["nothing", equalImages, "equal at level index: the same index, byte for byte"],
    ["a time", retimed, "equal at level layers: the same tars; the config differs in its time only"],
    [
      "two platforms' times and history",
      comparison("layers", [
        platform("layers", [benign("config-created", "config"), benign("config-history", "config")]),
        platform("layers", [benign("config-created", "config")]),
      ]),
      "equal at level layers: the same tars; the configs differ in their time and history",
    ],
    [
      "layers and compression",
      comparison("entries", [
        platform("entries", [benign("layer-compression", "manifest"), benign("entry-times", "layers")]),
      ]),
      "equal at level entries: the same files in every layer; the manifest differs in its compression only; the layers differ in their times only",
    ],
    [
      "a class that has no words of its own",
      comparison("config", [platform("config", [benign("manifest-something-new", "manifest")])]),
      "equal at level config: the same config and the same tars; the manifest differs in its manifest-something-new only",
    ],
    [
      "proofs and waivers",
      comparison("explained", [
        platform("explained", [
          difference({ weight: "explained", proof: "normalised-equal", count: 30 }),
          difference({ weight: "explained", proof: "declared", count: 2 }),
        ]),
      ]),
      "equal at level explained: 32 differences: 30 with a proof, 2 declared by waivers",
    ],
    ["a package", drifting, "drift: no equality; 12 differences belong to a package of another version"],
    [
      "no explanation",
      comparison("different", [platform("different", [difference({ count: 1 })])]),
      "different: 1 difference has no explanation",
    ],
    [
      "a platform on one side",
      comparison("different", [platform("manifest", [])], { onlyRight: ["linux/arm64"] }),
      "different: 1 platform is on one side only",
    ],
    ["no platform in common", comparison("different", []), "different: no platform is in both"],
  ])("says at once what differs: %s", (_, given, headline) => {
    expect(summariseComparison(given)[0]).toBe(headline);
  });

  test("tells what has no explanation first, then drift by package, then the rest in a line each", () => {
    const given = comparison("different", [
      platform(
        "different",
        [
          benign("config-created", "config", ["created"]),
          difference({ class: "pyc-header", weight: "explained", proof: "normalised-equal", count: 40 }),
          difference({ class: "file-mode", weight: "explained", proof: "declared", count: 2 }),
          difference({ weight: "drift", proof: "drift", count: 12 }),
          difference({ count: 5, paths: ["/a", "/b", "/c", "/d", "/e"] }),
        ],
        {
          packages: [
            { database: "dpkg", name: "libssl3", left: "3.0.15-1", right: "3.0.16-1" },
            { database: "dpkg", name: "tzdata", right: "2026a" },
          ],
          warnings: ["/etc/key: a private key"],
        },
      ),
    ]);
    expect(summariseComparison(given).slice(1)).toEqual([
      "  linux/amd64  different  5 unexplained, 12 drift, 42 explained, 1 benign",
      "    ✗ file-content /a, /b, /c and 2 more: content 80362ed0bcda and 81f7c39142c9",
      "    ~ drift: 12 files of 2 packages",
      "      libssl3 3.0.15-1 -> 3.0.16-1",
      "      tzdata 2026a, only in the second image",
      "    ✓ explained: pyc-header ×40, file-mode (waived) ×2",
      "    · benign: config-created",
      "    ! /etc/key: a private key",
    ]);
    expect(summariseComparison(drifting)).toContain("    ~ libssl3 3.0.15-1 -> 3.0.16-1: 12 files");
  });

  test("names what is on one side only, and what the indexes differ in", () => {
    const given = comparison("different", [platform("manifest", [])], {
      onlyLeft: ["linux/arm/v7", "linux/s390x"],
      differences: [benign("index-annotations", "index")],
    });
    expect(summariseComparison(given).slice(1)).toEqual([
      "  only the first has linux/arm/v7, linux/s390x",
      "  the index  1 benign",
      "    · benign: index-annotations",
      "  linux/amd64  manifest",
    ]);
  });

  test("has no line for what there is none of, few lines for very much, and says how much more there is", () => {
    expect(summariseComparison(equalImages)).toHaveLength(2);
    const many = Array.from({ length: 300 }, (_, at) => at);
    const differences = (["unexplained", "drift", "explained", "benign"] as const).flatMap((weight) =>
      many.map((at) =>
        difference({
          class: `class-${at}`,
          weight,
          paths: many.map((path) => `/${"long/".repeat(100)}${path}`),
          count: 9000,
        }),
      ),
    );
    const packages = many.map((at) => ({ database: "apk" as const, name: `package-${at}`, left: "1", right: "2" }));
    const lines = summariseComparison(
      comparison("different", [platform("different", differences, { packages, warnings: many.map(String) })]),
    );
    expect(lines.length).toBeLessThanOrEqual(26);
    for (const line of lines) expect(line.length).toBeLessThan(600);
    expect(lines.join("\n")).toContain(`and ${292 * 9000} more differences of 292 other kinds`);
    expect(lines.join("\n")).toContain("and 294 more");
    expect(lines.join("\n")).toContain("and 297 more warnings");
  });

  test("has no character in it that a terminal would act on", () => {
    for (const line of summariseComparison(everyTextAs(hostile).result)) {
      expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      expect(line.isWellFormed()).toBe(true);
    }
  });
});

/** What is outside of code, and of the fences that only their own length ends. */
function outsideCode(markdown: string): string {
  let fence: string | undefined;
  const kept: string[] = [];
  for (const line of markdown.split("\n")) {
    const ticks = /^ {0,3}(`{3,})/.exec(line)?.[1];
    if (fence === undefined && ticks !== undefined) fence = ticks;
    else if (fence !== undefined && ticks !== undefined && ticks.length >= fence.length) {
      expect(line).toBe(fence);
      fence = undefined;
    } else if (fence === undefined) kept.push(line);
  }
  expect(fence).toBeUndefined();
  return kept.join("\n").replaceAll(/<code>[^<\n]*<\/code>/g, "<code>");
}

describe("the comment", () => {
  test("has a headline, a table of platforms, and what differs folded away", () => {
    const markdown = renderComparisonMarkdown(retimed);
    expect(markdown).toMatch(/^### ✅ equal at level layers\n\nthe same tars; the config differs in its time only\.\n/);
    expect(markdown).toContain("| ✅ `linux/amd64` | layers | – | – | – | 1 |");
    expect(markdown).toContain("<details><summary><code>linux/amd64</code> layers, 1 kind of difference</summary>");
    expect(renderComparisonMarkdown(drifting)).toMatch(/^### ⚠️ drift\n/);
    expect(renderComparisonMarkdown(drifting)).toContain("<code>3.0.15-1 -&gt; 3.0.16-1</code>");
    expect(renderComparisonMarkdown(equalImages)).not.toContain("<details>");
  });

  test("shows small diffs, of what has no explanation first, and at most ten of a platform", () => {
    const files = Array.from({ length: 30 }, (_, at) =>
      textFile(`/f${at}`, "same\nold", `same\nnew ${at}`, { weight: at === 29 ? "unexplained" : "explained" }),
    );
    const given = comparison("different", [platform("different", [difference()])]);
    const markdown = renderComparisonMarkdown(given, evidenceOf(files));
    expect(markdown).toContain("```diff\n@@ -1,2 +1,2 @@\n same\n-old\n+new 29\n```");
    expect(markdown.match(/^```diff$/gm)).toHaveLength(10);
    expect(markdown).toContain("+new 0\n");
    expect(markdown).not.toContain("+new 9\n");
    expect(markdown).toContain("Left out, for want of room: 21 text diffs.");
  });

  test("has the same markup whatever the texts are, and links, mentions and fences stand in code", () => {
    const { result, evidence } = everyTextAs(hostile);
    const markdown = renderComparisonMarkdown(result, evidence);
    const plain = everyTextAs("harmless");
    const table = (text: string): string => text.replaceAll(/^\| ❌ `.*?` \|/gm, "| ❌ `` |");
    expect(table(outsideCode(markdown))).toBe(
      table(outsideCode(renderComparisonMarkdown(plain.result, plain.evidence))),
    );
    expect(table(outsideCode(markdown))).not.toMatch(/@octocat|<script|#12|\/\/b|alert/);
    expect(markdown).not.toMatch(/[^\P{Cc}\n\t]|[\u202a-\u202e\u200b]/u);
    expect(markdown.isWellFormed()).toBe(true);
  });

  test("a line of backticks cannot end a fence", () => {
    const given = comparison("different", [platform("different", [difference()])]);
    const markdown = renderComparisonMarkdown(given, evidenceOf([textFile("/a", "````\n@octocat", "````\n# title")]));
    expect(markdown).toContain("`````diff\n@@ -1,2 +1,2 @@\n ````\n-@octocat\n+# title\n`````\n");
  });

  test("never has more than 60,000 characters, ends whole, and says what was left out", () => {
    const many = Array.from({ length: 500 }, (_, at) => at);
    const differences = many.map((at) =>
      difference({ class: `class-${at}`, paths: [`/<${"&".repeat(4000)}${at}`], detail: "<".repeat(9000) }),
    );
    const { shown } = textFile("/f", "<`".repeat(4000), `${"`".repeat(390)}\n`.repeat(200));
    const files = many.map(
      (at): FileEvidence => ({ path: `/f${at}`, classes: [], weight: "drift", ...(shown && { shown }) }),
    );
    const names = Array.from({ length: 100 }, (_, at) => `linux/a${at}` as const);
    const given = comparison(
      "different",
      names.map((name) => platform("different", differences, { platform: name })),
      {
        differences,
      },
    );
    const seen = { platforms: names.map((name) => ({ platform: name, documents: [], files, omitted: 10_000 })) };
    const markdown = renderComparisonMarkdown(given, seen);
    expect(markdown.length).toBeLessThanOrEqual(60_000);
    expect(markdown.length).toBeGreaterThan(30_000);
    for (const element of ["details", "table", "ul", "p"])
      expect(markdown.match(new RegExp(`<${element}>`, "g"))?.length).toBe(
        markdown.match(new RegExp(`</${element}>`, "g"))?.length,
      );
    expect(markdown.trimEnd()).toMatch(/\n_Left out, for want of room: .*36 platforms.*kinds of difference.*\._$/);
    expect(renderComparisonMarkdown(given, seen)).toBe(markdown);
  });
});

function skeletonOf(page: string): string {
  return page.replaceAll(/"[^"]*"/g, '""').replaceAll(/>[^<]*</g, "><");
}

describe("the page", () => {
  const files = [textFile("/etc/conf", "a\nold\n", "a\nnew\n"), textFile("/usr/bin/app", "\0a", "\0b")];
  const given = comparison("different", [
    platform("different", [
      difference({ count: 2, paths: ["/etc/conf", "/usr/bin/app"] }),
      difference({ class: "file-mode", weight: "explained", proof: "declared", paths: ["/usr/share/x/y/z"] }),
      benign("config-created", "config", ["created"]),
    ]),
  ]);
  const page = renderComparisonPage(given, evidenceOf(files));

  test("may load nothing, and its one style is the one that its policy names", () => {
    const style = /<style>(.*)<\/style>/s.exec(page)?.[1] ?? "";
    expect(page).toContain(
      `content="default-src &#39;none&#39;; style-src &#39;sha256-${createHash("sha256").update(style).digest("base64")}&#39;;`,
    );
    expect(page).not.toMatch(/<script|<link rel="stylesheet|\sstyle="|(src|href)="(?!#|data:,")|url\(|@import/);
  });

  test("is the same for the same input, and heads every column and row", () => {
    expect(renderComparisonPage(given, evidenceOf(files))).toBe(page);
    for (const head of page.match(/<th\b[^>]*>/g) ?? []) expect(head).toMatch(/scope="(col|row)"/);
    const ids = [...page.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("has the markup of any other, whichever texts are hostile", () => {
    const [bad, good] = [everyTextAs(hostile), everyTextAs("harmless")];
    const made = renderComparisonPage(bad.result, bad.evidence);
    // a hostile line is marked and spelled out inside; the markup round it is ours
    const inner = /<\/?(b|mark)>|<b class="">/g;
    const folders = /<details class=""><summary><span class=""><\/span>.*?<\/summary><div class="">/g;
    const shape = (text: string): string => skeletonOf(text).replaceAll(inner, "").replaceAll(folders, "");
    expect(made).not.toMatch(/<script|<img|<\/pre>/);
    expect(made.match(/<style>/g)).toHaveLength(1);
    expect(shape(made).length).toBeGreaterThan(1000);
    expect(made).not.toMatch(/[^\P{Cc}\n\t]|[\u202a-\u202e\u200b]/u);
    expect(made.isWellFormed()).toBe(true);
    const tags = (text: string): string[] => [...new Set(shape(text).match(/<[a-z0-9]+/g))].toSorted();
    expect(tags(made)).toEqual(tags(renderComparisonPage(good.result, good.evidence)));
  });

  test("puts files into folders with their counts, and chains of folders into one", () => {
    expect(page).toMatch(/<span class="name">etc\/<\/span> <span class="soft">1 path</);
    expect(page).toMatch(/<span class="name">usr\/<\/span> <span class="soft">2 paths</);
    expect(page).toMatch(/<span class="name">share\/x\/y\/<\/span> <span class="soft">1 path</);
  });

  test("says with which normalisers, and when not every path is listed", () => {
    const normalisers = [{ class: "pyc-header", version: 3 }];
    const known = comparison("explained", [
      platform("explained", [difference({ weight: "explained", proof: "normalised-equal", count: 500 })], {
        normalisers,
      }),
    ]);
    expect(renderComparisonPage(known, { platforms: [] })).toContain(": pyc-header 3<");
    expect(renderComparisonPage(known, { platforms: [] })).toContain("Not every path that differs is listed here");
    expect(renderComparisonPage(known, evidenceOf(files, 498))).toContain(
      "2 of 500 paths that differ are listed here.",
    );
    expect(page).not.toMatch(/listed here/);
  });

  test("marks the bytes that differ, and spells invisible characters out", () => {
    expect(page).toContain("<del>old</del>");
    expect(page).toContain("00 <mark>61</mark>");
    const hidden = renderComparisonPage(given, evidenceOf([textFile("/etc/conf", "a\u200bb", "ab")]));
    expect(hidden).toContain('<b class="ctl">U+200B</b>');
  });

  test("of a hundred thousand paths shows what fits into 5 MB, what has no explanation first", () => {
    const paths = (name: string): string[] =>
      Array.from({ length: 100 }, (_, at) => `/usr/lib/${name}/${"deep/".repeat(at % 40)}file-${at}`);
    const weights = ["unexplained", "explained", "drift"] as const;
    const differences = Array.from({ length: 120 }, (_, at) =>
      difference({ class: `class-${at}`, weight: weights[at % 3] ?? "drift", count: 1000, paths: paths(`d${at}`) }),
    );
    const long = Array.from({ length: 400 }, (_, at) => `<&"${at} `.repeat(60));
    const shown = showContent(Buffer.from(long.join("\n")), Buffer.from(long.toReversed().join("\n")));
    const many = Array.from(
      { length: 500 },
      (_, at): FileEvidence => ({
        path: `/usr/lib/d${at % 120}/shown-${at}`,
        classes: [`class-${at % 120}`],
        weight: weights[at % 3] ?? "drift",
        shown,
      }),
    );
    const names = Array.from({ length: 12 }, (_, at) => `linux/a${at}` as const);
    const big = comparison(
      "different",
      names.map((name) => platform("different", differences, { platform: name })),
    );
    const seen = { platforms: names.map((name) => ({ platform: name, documents: [], files: many, omitted: 99_500 })) };
    const made = renderComparisonPage(big, seen);
    expect(Buffer.byteLength(made)).toBeLessThan(5_000_000);
    expect(Buffer.byteLength(made)).toBeGreaterThan(2_000_000);
    expect(made.match(/<section class="card" id="platform-/g)).toHaveLength(12);
    expect(made).toMatch(/>\d+ of 100000 paths that differ are listed here\.</);
    const opened = made.match(/<details/g)?.length;
    expect(made.match(/<\/details>/g)?.length).toBe(opened);
    expect(made.match(/class="weight unexplained"/g)?.length ?? 0).toBeGreaterThan(1000);
  });

  test("folders nest to a bounded depth, however deep the path", () => {
    const deep = Array.from({ length: 50 }, (_, at) => `/${"a/".repeat(at)}f`);
    const made = renderComparisonPage(
      comparison("different", [platform("different", [difference({ count: 50, paths: deep })])]),
      { platforms: [] },
    );
    let [depth, deepest] = [0, 0];
    for (const tag of made.match(/<\/?details/g) ?? []) {
      depth += tag === "<details" ? 1 : -1;
      deepest = Math.max(deepest, depth);
    }
    expect(deepest).toBeLessThanOrEqual(14);
    expect(deepest).toBeGreaterThan(3);
  });

  test("has no filter where there is nothing to choose, and says that nothing differs", () => {
    const same = renderComparisonPage(equalImages, { platforms: [] });
    expect(same).not.toContain("<fieldset>");
    expect(same).toContain("No difference.");
  });
});
