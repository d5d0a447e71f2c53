import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { NightlyRun } from "../../../src/nightly-run.ts";
import { renderSite } from "../../../src/report/site/render-site.ts";
import { sampleRelease, sampleRun, sampleRuns } from "./site-runs.ts";

const hostile = `</style></pre></title><script>alert(1)</script>"'><img src=x onerror=x> \u001b]0;t\u0007\u009b31m\u0000\u202e\ud800\u2028\ufffe ../..`;

/** A file of a site; a test that asks for one that is not there fails. */
function fileOf(site: ReadonlyMap<string, string>, path: string): string {
  const text = site.get(path);
  if (text === undefined) throw new Error(`the site has no ${path}, only ${[...site.keys()].join(", ")}`);
  return text;
}

/** The text of a piece of a page, without its markup. */
function textOf(markup: string): string {
  return markup.replaceAll(/<[^>]*>/g, " ").replaceAll(/\s+/g, " ");
}

/** What is under a heading, to the next section. */
function sectionOf(page: string, id: string): string {
  const start = page.indexOf(`<section aria-labelledby="${id}">`);
  expect(start, `a section ${id}`).toBeGreaterThan(0);
  const end = page.indexOf('<section aria-labelledby="', start + 10);
  return page.slice(start, end < 0 ? page.length : end);
}

/** Every string of runs replaced but times and words that decide; names that tell things apart keep their end. */
function everyStringAs(text: string, runs: readonly NightlyRun[]): NightlyRun[] {
  const replace = (value: unknown, key = ""): unknown => {
    if (typeof value === "string") {
      if (key.endsWith("At") || key === "status" || key === "verdict") return value;
      return ["recipe", "version", "id", "platform"].includes(key) ? `${text}${value}` : text;
    }
    if (Array.isArray(value)) return value.map((item) => replace(item));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, replace(item, name)]));
  };
  return replace(runs) as NightlyRun[];
}

describe("the files of a site", () => {
  const runs = sampleRuns();
  const site = renderSite(runs, { title: "Factory", reports: "reports/", baseUrl: "https://site.example/" });

  test("are pages for every recipe, release and run, badges, a feed, and data", () => {
    expect([...site.keys()].filter((path) => !path.startsWith("runs/2"))).toEqual([
      "index.html",
      "runs/index.html",
      "recipes/app.html",
      "recipes/app/2.10.0.html",
      "recipes/app/2.9.1.html",
      "recipes/app/1.0.html",
      "badges/app.svg",
      "recipes/broken.html",
      "recipes/broken/1.0.html",
      "badges/broken.svg",
      "recipes/gone.html",
      "recipes/gone/3.html",
      "badges/gone.svg",
      "recipes/tool.html",
      "recipes/tool/0.19.0.html",
      "badges/tool.svg",
      "badges/all.svg",
      "feed.xml",
      "data.json",
    ]);
    expect([...site.keys()].filter((path) => path.startsWith("runs/2"))).toHaveLength(20);
  });

  test("are the same bytes for the same runs", () => {
    const again = renderSite(structuredClone(runs), {
      title: "Factory",
      reports: "reports/",
      baseUrl: "https://site.example/",
    });
    expect([...again]).toEqual([...site]);
  });

  test("link only to each other, to what runs left behind, and to places in their own page", () => {
    for (const [path, text] of site) {
      if (!path.endsWith(".html")) continue;
      for (const [, href = ""] of text.matchAll(/<a [^>]*href="([^"]*)"/g)) {
        const { pathname, hash } = new URL(href, `https://site.example/${path}`);
        const target = decodeURIComponent(pathname.slice(1));
        if (hash !== "") expect(text, `${href} in ${path}`).toContain(`id="${hash.slice(1)}"`);
        else if (!target.startsWith("reports/")) expect([...site.keys()], `${href} in ${path}`).toContain(target);
      }
    }
    expect(fileOf(site, "recipes/app/2.10.0.html")).toContain(
      'href="../../reports/2026-01-20T020000Z/app/2.10.0/report.html"',
    );
    expect(fileOf(renderSite(runs), "recipes/app/2.10.0.html")).not.toContain("Own report");
  });

  test("load nothing, and allow the one style that their policy names", () => {
    for (const [path, page] of site) {
      if (!path.endsWith(".html")) continue;
      const style = /<style>(.*)<\/style>/s.exec(page)?.[1] ?? "";
      expect(page).toContain(
        `default-src &#39;none&#39;; style-src &#39;sha256-${createHash("sha256").update(style).digest("base64")}&#39;;`,
      );
      expect(page).not.toMatch(/<script|rel="stylesheet|\sstyle="|src="|url\(|@import/);
      for (const head of page.match(/<th\b[^>]*>/g) ?? []) expect(head).toMatch(/scope="(col|row)"/);
      expect(page.match(/<table/g)?.length ?? 0).toBe(page.match(/<caption/g)?.length ?? 0);
      const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
      expect(new Set(ids).size, path).toBe(ids.length);
    }
  });

  test("begin with what asks for a person: the gravest first, with its age and why", () => {
    const list = sectionOf(fileOf(site, "index.html"), "attention");
    const items = [...list.matchAll(/<li>(.*?)<\/li>/gs)].map(([, item = ""]) => textOf(item).trim());
    expect(items).toEqual([
      "≠ different app 2.10.0 linux/arm64 since 2026-01-18, 3 runs file-content (41)",
      "✗ failed broken 1.0 linux/amd64, linux/arm64 new in this run build: RUN make failed with exit code 2 plain",
      "✗ build-failed tool 0.19.0 linux/arm/v7 since 2026-01-18, 3 runs RUN make failed: plain",
    ]);
    expect(sectionOf(fileOf(renderSite(runs.slice(5)), "index.html"), "attention")).toContain(
      "Nothing: every platform came out the same",
    );
  });

  test("count an extension on neither side, and the platforms of what failed as not reproduced", () => {
    // app 2.10.0 and 2.9.1 have four platforms of upstream's, broken and tool two each; two are additions
    expect(textOf(fileOf(site, "index.html"))).toContain(
      "4 of 8 platforms that upstream released came out the same from source; 2 more are added.",
    );
    expect(fileOf(site, "badges/all.svg")).toContain("<title>reproducible: 4/8 platforms</title>");
    expect(fileOf(site, "badges/app.svg")).toContain("<title>reproducible: 3/4 platforms</title>");
    const added = renderSite([sampleRun(0, [sampleRelease("new", "1", { "linux/loong64": "extended" })])]);
    expect(fileOf(added, "badges/new.svg")).toContain("<title>reproducible: 1 added</title>");
    expect(textOf(fileOf(added, "index.html"))).toContain("upstream has none");
    // an addition that did not build is no platform of upstream's either
    const [platform] = sampleRelease("", "", { "linux/loong64": "extended" }).platforms;
    if (!platform) throw new Error("the sample has a platform");
    const broken = { ...platform, verdict: "build-failed", level: "build-failed" } as const;
    const both = sampleRelease("new", "1", { "linux/amd64": "identical" });
    const some = renderSite([sampleRun(0, [{ ...both, platforms: [...both.platforms, broken] }])]);
    expect(fileOf(some, "badges/new.svg")).toContain("<title>reproducible: 1/1 platforms</title>");
    expect(textOf(sectionOf(fileOf(some, "index.html"), "attention"))).toContain("build-failed new 1 linux/loong64");
  });

  test("draw the runs as a chart that can be read without seeing it", () => {
    const time = sectionOf(fileOf(site, "index.html"), "time");
    expect(time).toContain(
      'role="img" aria-label="Share of platforms in each state, every run from 2026-01-01 to 2026-01-20; ',
    );
    expect(time).toContain("1 identical, 3 equivalent, 2 extended, 1 different, 3 failed of 10 platforms at last.");
    const rows = [...time.matchAll(/<tr><th scope="row">([^<]*)<\/th>(.*?)<\/tr>/gs)];
    expect(rows).toHaveLength(20);
    expect(textOf(rows[0]?.[0] ?? "").trim()).toBe("2026-01-20 02:00 UTC 1 3 2 0 0 1 3 10");
    expect(time.match(/<rect class="over"/g)).toHaveLength(20);
  });

  test("show each platform by run, what it was before, and what is not in the newest run any more", () => {
    const page = fileOf(site, "recipes/app.html");
    const arm = /<tr><th scope="row">linux\/arm64<\/th>.*?<\/tr>/s.exec(page)?.[0] ?? "";
    expect(textOf(arm)).toMatch(
      /linux\/arm64 ≠ different rebuilt ≠ different kept ≠ different before: equivalent ✓ equivalent rebuilt/,
    );
    expect(arm.match(/<td>/g)).toHaveLength(14);
    expect(page.indexOf(">2.10.0<")).toBeLessThan(page.indexOf(">2.9.1<"));
    expect(textOf(page)).toContain("not in the newest run; last in that of 2026-01-05");
    expect(textOf(sectionOf(page, "changes"))).toContain("app 2.10.0 linux/arm64: ✓ equivalent → became ≠ different");
  });

  test("show every difference of a release, with its weight and its paths", () => {
    const page = fileOf(site, "recipes/app/2.10.0.html");
    expect(page).toContain("<summary>2 kinds of difference, 41 unexplained</summary>");
    const text = textOf(page);
    expect(text).toContain("file-content Count 41 Weight counts against equality");
    expect(text).toContain("module_19.py and 21 more");
    expect(text).toContain("config-created Count 1 Weight harmless");
    expect(page).toContain('<a href="../../recipes/app.html">app</a>');
  });

  test("keep what was known of a release that failed, and say of which run it is", () => {
    const page = textOf(fileOf(site, "recipes/broken/1.0.html"));
    expect(page).toContain("As the run of 2026-01-19 left them: the newest says nothing of them.");
    expect(page).toContain("cc1: error: plain");
    expect(page).toContain("2 of releases that failed");
    const never = renderSite([
      sampleRun(0, [
        sampleRelease("x", "1", {}, { status: "failed", failure: { errorClass: "fetch", message: "no route" } }),
      ]),
    ]);
    expect(textOf(fileOf(never, "recipes/x/1.html"))).toContain("Nothing is known of its platforms");
    expect(textOf(fileOf(never, "index.html"))).toContain("✗ failed x 1 all platforms new in this run fetch: no route");
  });

  test("say there is no run where there is none", () => {
    const empty = renderSite([]);
    expect([...empty.keys()]).toEqual(["index.html", "runs/index.html", "badges/all.svg", "feed.xml", "data.json"]);
    expect(textOf(fileOf(empty, "index.html"))).toContain("No run yet.");
  });
});

describe("the feed and the data", () => {
  const runs = sampleRuns();
  const site = renderSite(runs, { baseUrl: "https://site.example/" });

  test("tell each change of verdict once, whenever the site is made", () => {
    const entriesOf = (feed: string): string[] => [...feed.matchAll(/<entry>.*?<\/entry>/gs)].map(([entry]) => entry);
    const entries = entriesOf(fileOf(site, "feed.xml"));
    expect(entries.map((entry) => /<title>(.*)<\/title>/.exec(entry)?.[1])).toEqual([
      "broken 1.0: 2 platforms equivalent → failed",
      "app 2.10.0: linux/arm64 equivalent → different",
      "tool 0.19.0: linux/arm/v7 equivalent → build-failed",
    ]);
    expect(entries[0]).toContain('href="https://site.example/recipes/broken/1.0.html"');
    // with the run before only, the older entries are the very same
    expect(entriesOf(fileOf(renderSite(runs.slice(1), { baseUrl: "https://site.example/" }), "feed.xml"))).toEqual(
      entries.slice(1),
    );
  });

  test("hold every platform's state and digests for machines", () => {
    const data = JSON.parse(fileOf(site, "data.json"));
    expect(data).toMatchObject({ schema: "refoundry/site/v1", newestRun: "2026-01-20T020000Z" });
    expect(data.runs).toHaveLength(20);
    expect(data.runs[0].reproduced).toEqual({ same: 4, of: 8 });
    const [app] = data.releases;
    expect(app).toMatchObject({ recipe: "app", version: "2.10.0", current: true, page: "recipes/app/2.10.0.html" });
    expect(app.platforms[1]).toMatchObject({ platform: "linux/arm64", state: "different", unexplained: 41 });
    expect(data.releases.find((release: { recipe: string }) => release.recipe === "gone").current).toBe(false);
  });
});

describe("runs that somebody tampered with", () => {
  const skeleton = (page: string): string => page.replaceAll(/"[^"]*"/g, '""').replaceAll(/>[^<]*</g, "><");

  test("give the markup of any others, and nothing that acts on a browser or a reader", () => {
    const bad = renderSite(everyStringAs(hostile, sampleRuns()), { reports: "reports/" });
    const good = renderSite(everyStringAs("harmless ../..", sampleRuns()), { reports: "reports/" });
    expect(bad.size).toBe(good.size);
    const [badPages, goodPages] = [[...bad], [...good]];
    for (const [at, [path, text]] of badPages.entries()) {
      if (path === "data.json") continue;
      expect(text.isWellFormed()).toBe(true);
      // not the whole page in a message
      expect(
        /.{0,40}([^\P{Cc}\n\t]|[\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufffe])/u.exec(text)?.[0],
        path,
      ).toBeUndefined();
      if (!/^(badges|feed)/.test(path))
        expect(skeleton(text).replaceAll(/\d+/g, "")).toBe(skeleton(goodPages[at]?.[1] ?? "").replaceAll(/\d+/g, ""));
    }
    expect(fileOf(bad, "feed.xml")).toContain("&lt;script&gt;");
    expect(JSON.parse(fileOf(bad, "data.json")).schema).toBe("refoundry/site/v1");
  });

  test("stay inside the site, each name in a file of its own", () => {
    const names = [
      "all",
      "All",
      "a.html",
      "a",
      "../../etc/passwd",
      "..",
      ".",
      "",
      "a/b",
      "a b",
      "CON:1",
      "é",
      "x".repeat(300),
      "%2e%2e",
    ];
    const site = renderSite([
      sampleRun(
        0,
        names.map((name) => sampleRelease(name, name, { "linux/amd64": "identical" })),
        { id: "../index" },
      ),
    ]);
    const paths = [...site.keys()];
    expect(paths.filter((path) => path.startsWith("badges/"))).toHaveLength(names.length + 1);
    expect(new Set(paths.map((path) => path.toLowerCase())).size).toBe(paths.length);
    for (const path of paths) {
      expect(path).toMatch(
        /^(index\.html|feed\.xml|data\.json|(runs|badges|recipes)\/[A-Za-z0-9+~_.-]+\.(html|svg)|recipes\/[A-Za-z0-9+~_.-]+\/[A-Za-z0-9+~_.-]+\.html)$/,
      );
      expect(path).not.toMatch(/(^|\/)\.\.?(\/|$)/);
      // no page stands where another's folder is
      expect(paths.some((other) => other.startsWith(`${path}/`))).toBe(false);
    }
  });

  test("cannot link out of a run's folder or to a script", () => {
    for (const report of [
      "../../x.html",
      "/etc/passwd",
      "javascript:alert(1)",
      "https://evil.example/",
      "a\\..\\b",
      "a//b",
    ]) {
      const site = renderSite([sampleRun(0, [sampleRelease("app", "1", { "linux/amd64": "identical" }, { report })])], {
        reports: "https://files.example/",
      });
      const href = /Own report<\/dt><dd><a href="([^"]*)"/.exec(fileOf(site, "recipes/app/1.html"))?.[1];
      if (href !== undefined) expect(href).toBe("https://files.example/2026-01-01T020000Z/javascript%3Aalert(1)");
    }
  });
});

describe("a year of a large factory", () => {
  /** 300 releases on 6 platforms, 365 times; a tenth is rebuilt, some differ, with 40 classes and 20 long paths each. */
  function largeRuns(): NightlyRun[] {
    const platforms = [
      "linux/amd64",
      "linux/arm64",
      "linux/arm/v7",
      "linux/riscv64",
      "linux/loong64",
      "linux/s390x",
    ] as const;
    const difference = (at: number) =>
      ({
        class: `class-${at}`,
        count: 900,
        weight: at % 3 === 0 ? "unexplained" : "explained",
        detail: "detail ".repeat(20),
        paths: Array.from({ length: 20 }, (_, path) => `/usr/${"folder/".repeat(30)}${path}`),
      }) as const;
    const differences = Array.from({ length: 40 }, (_, at) => difference(at));
    const ofRelease = Array.from({ length: 300 }, (_, number) => {
      const release = sampleRelease(`recipe-${number % 60}`, `1.${Math.floor(number / 60)}.0`, {});
      const good = sampleRelease(
        "",
        "",
        Object.fromEntries(platforms.map((platform) => [platform, "equivalent"])),
      ).platforms;
      const bad = good.map((platform) => ({ ...platform, verdict: "different", differences }) as const);
      return { release, good, bad };
    });
    return Array.from({ length: 365 }, (_, back) =>
      sampleRun(
        365 - back,
        ofRelease.map(({ release, good, bad }, number) => ({
          ...release,
          status: (number + back) % 10 === 0 ? "rebuilt" : "kept",
          platforms: (number * 7 + Math.floor(back / 5)) % 11 === 0 ? bad : good,
        })),
      ),
    );
  }

  test("is drawn in seconds, no page over 1 MB", { timeout: 60_000 }, () => {
    const runs = largeRuns();
    const start = performance.now();
    const site = renderSite(runs);
    const seconds = (performance.now() - start) / 1000;
    const sizes = [...site].map(([path, text]) => ({ path, bytes: Buffer.byteLength(text) }));
    const largest = sizes.filter(({ path }) => path.endsWith(".html")).sort((a, b) => b.bytes - a.bytes)[0];
    expect(site.size).toBeGreaterThan(365 + 300 + 60);
    expect(largest?.bytes, largest?.path).toBeLessThan(1_000_000);
    expect(sizes.find(({ path }) => path === "data.json")?.bytes).toBeLessThan(2_000_000);
    expect(seconds).toBeLessThan(20);
  });
});

test("what a recipe leaves out of upstream's platforms counts against it, also while nothing is due", () => {
  const omitted = [{ platform: "linux/s390x", reason: "the <compiler> differs" }] as const;
  const verdicts = { "linux/amd64": "identical" } as const;
  const before = sampleRun(1, [sampleRelease("app", "1.0", verdicts, { omitted })]);
  const after = sampleRun(2, [sampleRelease("app", "1.0", {}, { status: "kept" })]);
  const pages = renderSite([after, before], { title: "Factory" });
  const plain = renderSite([sampleRun(1, [sampleRelease("app", "1.0", verdicts)])], { title: "Factory" });
  const badge = (site: ReadonlyMap<string, string>): number[] =>
    (/(\d+)\/(\d+) platforms/.exec(fileOf(site, "badges/app.svg")) ?? []).slice(1).map(Number);
  const [same = 0, of = 0] = badge(plain);
  expect(badge(pages)).toEqual([same, of + 1]);
  const page = fileOf(pages, "recipes/app/1.0.html");
  expect(textOf(page)).toContain(
    "linux/s390x – omitted left out, although upstream has it: the &lt;compiler&gt; differs",
  );
});
