import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compareImages } from "../../src/compare/compare-images.ts";
import type { Evidence } from "../../src/compare/evidence/types.ts";
import type { Descriptor } from "../../src/oci/types.ts";
import { renderComparisonPage } from "../../src/report/comparison/html/page.ts";
import { file, link, testLayout, type TestImage, writeImage, writeIndex } from "../support/images.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { toolPath } from "../support/tools.ts";

const attack = `<script>document.title = "owned"</script><img src="http://127.0.0.1:9/x" onerror="document.title = 'owned'">`;
const overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth";

let browser: Browser;
beforeAll(async () => {
  const args = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ];
  browser = await chromium.launch({ executablePath: toolPath("chromium"), args });
});
afterAll(() => browser?.close());

/** One side of two images that differ in texts, bytes, modes, a link, a compressed file, and in hostile names. */
function sampleImage(side: 0 | 1): TestImage {
  const lines = Array.from({ length: 60 }, (_, at) => (at === 30 ? `value = ${side}` : `option_${at} = ${at}`));
  const plain = { mode: 0o644, uid: 0, gid: 0, mtime: 0 };
  const packed = gzipSync("packed ".repeat(500), { level: side === 0 ? 1 : 9 });
  return {
    layers: [
      [
        file("etc/app.conf", lines.join("\n")),
        file("etc/min.js", `${"var a=1;".repeat(300)}${side}${"f();".repeat(300)}`),
        file(`etc/${attack.replaceAll("/", ":")}`, `${side} ${attack} \u202egnp.exe`),
        file("usr/bin/app", `\0ELF${"\0".repeat(100)}${side}`, { mode: side === 0 ? 0o755 : 0o4755 }),
        link("usr/lib/libapp.so", `libapp.so.${side}`),
        { ...plain, type: "file", path: "usr/share/doc/app/changelog.gz", content: packed, size: packed.length },
        file(`usr/share/a-very-long-name-${"without-any-space-".repeat(9)}.txt`, `${side}`),
        ...Array.from({ length: 40 }, (_, at) => file(`srv/d${at % 4}/file-${at}`, `${side} ${at}`)),
      ],
    ],
    config: { Env: side === 0 ? ["A=1", "B=2"] : ["B=2", "A=1"], Cmd: ["/usr/bin/app", attack] },
    top: { created: `202${side}-01-01T00:00:00Z` },
  };
}

/** The page of a real comparison of two indexes, written to a file. */
async function samplePage(change: (page: string) => string = (page) => page): Promise<string> {
  const layout = await testLayout();
  const index = async (side: 0 | 1): Promise<Descriptor> =>
    writeIndex(layout, [
      await writeImage(layout, sampleImage(side)),
      await writeImage(layout, {
        layers: [[file("a", "a")]],
        architecture: "arm64",
        top: { created: `202${side}-01-01T00:00:00Z` },
      }),
    ]);
  let evidence: Evidence = { platforms: [] };
  const comparison = await compareImages(
    { reader: layout, descriptor: await index(0), name: `first.example/app ${attack}` },
    { reader: layout, descriptor: await index(1), name: "second.example/app" },
    { onEvidence: (seen) => void (evidence = seen) },
  );
  const path = join(await temporaryFolder(), "comparison.html");
  await writeFile(path, change(renderComparisonPage(comparison, evidence)));
  return path;
}

/** Opens a page; whatever it says on the console or asks of the network is a problem. */
async function open(
  path: string,
  options: { width: number; colorScheme?: "light" | "dark"; javaScriptEnabled?: boolean },
): Promise<{ page: Page; problems: string[] }> {
  const { width, colorScheme = "light", javaScriptEnabled = true } = options;
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme, javaScriptEnabled });
  const problems: string[] = [];
  page.on("console", (message) => problems.push(message.text()));
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("request", (request) => void (request.url().startsWith("http") && problems.push(request.url())));
  await page.goto(`file://${path}`);
  return { page, problems };
}

const unfold = "for (const part of document.querySelectorAll('details')) part.open = true";

test.each([
  ["a desktop in light", 1280, "light"],
  ["a desktop in dark", 1280, "dark"],
  ["a small phone in light", 360, "light"],
  ["a small phone in dark", 360, "dark"],
] as const)("the comparison on %s", async (_, width, colorScheme) => {
  const { page, problems } = await open(await samplePage(), { width, colorScheme });
  expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe("different");
  expect(await page.getByRole("rowheader", { name: "linux/amd64" }).count()).toBe(1);
  for (const landmark of ["main", "banner", "contentinfo"] as const)
    expect(await page.getByRole(landmark).count()).toBe(1);
  expect(await page.evaluate(overflow)).toBeLessThanOrEqual(0);
  await page.evaluate(unfold);
  expect(await page.evaluate(overflow)).toBeLessThanOrEqual(0);
  // style may lay tables out otherwise on a phone; they stay tables for those who do not see them
  const diff = page.getByRole("table", { name: "Lines of /etc/app.conf" });
  expect(await diff.getByRole("row").count()).toBe(8);
  expect(await diff.locator("del").textContent()).toBe("value = 0");
  expect(await diff.locator("ins mark").textContent()).toBe("1");
  expect(await page.getByRole("table", { name: "Bytes of /usr/bin/app" }).locator("mark").allTextContents()).toEqual([
    "30",
    "31",
  ]);
  expect(await contrasts(page)).toEqual([]);
  expect(problems).toEqual([]);
  await page.close();
});

test.each([true, false])("the filter shows what is asked for and nothing else, with scripts: %s", async (scripts) => {
  const { page } = await open(await samplePage(), { width: 1200, javaScriptEnabled: scripts });
  await page.evaluate(unfold);
  const visible = async (selector: string): Promise<string[]> => {
    const texts = await page.locator(`${selector}:visible`).allTextContents();
    return texts.map((text) => text.trim());
  };
  const leaves = (): Promise<string[]> => visible(".leaf .name");
  const rows = (): Promise<string[]> => visible(".differences tbody th");
  const all = await leaves();
  expect(all.length).toBe(47);
  const allRows = await rows();
  await page.getByRole("radio", { name: "explained", exact: false }).and(page.locator("#weight-explained")).check();
  expect(await leaves()).toEqual(["changelog.gz"]);
  expect(await visible(".folder > summary .name")).toEqual(["usr/", "share/", "doc/app/"]);
  expect(await rows()).toEqual(["gzip-container"]);
  await page.locator("#weight-benign").check();
  expect(await leaves()).toEqual([]);
  expect(await rows()).toEqual(["config-created", "config-env-order", "config-created"]);
  await page.locator("#weight-all").check();
  await page.getByRole("checkbox", { name: /^file-mode/ }).check();
  expect(await leaves()).toEqual(["app"]);
  await page.getByRole("checkbox", { name: /^link-target/ }).check();
  expect(await leaves()).toEqual(["app", "libapp.so"].toSorted((a, b) => all.indexOf(a) - all.indexOf(b)));
  expect(await rows()).toEqual(["file-mode", "link-target"]);
  await page.locator("#weight-benign").check();
  expect(await rows()).toEqual([]);
  await page.locator("#weight-all").check();
  for (const name of [/^file-mode/, /^link-target/]) await page.getByRole("checkbox", { name }).uncheck();
  expect(await leaves()).toEqual(all);
  expect(await rows()).toEqual(allRows);
  await page.close();
});

test("folders and files open by keyboard, and the filter is reached by it", async () => {
  const { page } = await open(await samplePage(), { width: 390, javaScriptEnabled: false });
  await page.keyboard.press("Tab");
  expect(await page.locator(":focus").textContent()).toBe("To the platforms");
  for (const name of ["linux/amd64", "linux/arm64"]) {
    await page.keyboard.press("Tab");
    expect(await page.locator(":focus").textContent()).toBe(name);
  }
  await page.keyboard.press("Tab");
  expect(await page.locator(":focus").getAttribute("id")).toBe("weight-all");
  await page.keyboard.press("ArrowDown");
  expect(await page.locator("#weight-unexplained").isChecked()).toBe(true);
  await page.locator("#weight-all").check();
  const folder = page.locator("summary", { hasText: "etc/" }).first();
  await folder.focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  // leaves come in the order of their names
  await page.keyboard.press("Tab");
  expect(await page.locator(":focus .name").textContent()).toBe("app.conf");
  expect(await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")).toBe("solid");
  expect(await page.getByRole("table", { name: "Lines of /etc/app.conf" }).isVisible()).toBe(false);
  await page.keyboard.press("Enter");
  expect(await page.getByRole("table", { name: "Lines of /etc/app.conf" }).isVisible()).toBe(true);
  await page.close();
});

test("names and contents that hold markup are text, and what hides or reorders is spelled out", async () => {
  const { page, problems } = await open(await samplePage(), { width: 1200 });
  await page.evaluate(unfold);
  expect(await page.title()).toBe("different – refoundry");
  expect(await page.locator("script, img, iframe, object").count()).toBe(0);
  expect(await page.locator(".leaf .name", { hasText: "<script>" }).count()).toBe(1);
  expect(await page.locator("ins", { hasText: "<script>" }).first().textContent()).toContain("U+202Egnp.exe");
  expect(await page.evaluate("/[\\u202a-\\u202e\\u2066-\\u2069\\u200b-\\u200f]/.test(document.body.textContent)")).toBe(
    false,
  );
  expect(problems).toEqual([]);
  await page.close();
});

test("a page that somebody wrote into runs nothing and loads nothing", async () => {
  // as if the escaping had failed: the page's own policy still holds
  const style = "<style>body { display: none }</style>";
  const path = await samplePage((page) => page.replace("<main", `${style}${attack}<main`));
  const { page } = await open(path, { width: 1200 });
  expect(await page.title()).toBe("different – refoundry");
  expect(await page.getByRole("main").isVisible()).toBe(true);
  await page.close();
});

/** Text whose contrast with what is behind it is under WCAG's 4.5 to 1. */
async function contrasts(page: Page): Promise<string[]> {
  return page.evaluate(`(() => {
    const parse = (text) => text.match(/[\\d.]+/g).map(Number);
    const luminance = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = (node) => { for (let at = node; at; at = at.parentElement) { const c = parse(getComputedStyle(at).backgroundColor); if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
    const low = [];
    for (const node of document.querySelectorAll("h1, h2, h3, h4, p, th, td, td span, dt, dd, a, strong, summary, summary span, code, li, label, legend, mark, ins, del, b, .badge, .mark, .soft, .note, .weight, .label, footer")) {
      const [a, b] = [luminance(parse(getComputedStyle(node).color)), luminance(behind(node))].sort((x, y) => y - x);
      if ((a + 0.05) / (b + 0.05) < 4.5) low.push(node.tagName + "." + node.className + " " + node.textContent.slice(0, 30));
    }
    return low;
  })()`);
}
