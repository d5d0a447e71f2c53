import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { renderSite } from "../../src/report/site/render-site.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { toolPath } from "../support/tools.ts";
import { sampleRuns } from "../unit/report/site-runs.ts";

const attack = `<script>document.title = "owned"</script><img src="http://127.0.0.1:9/x" onerror="document.title = 'owned'">\u202egnp.exe`;
const overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
const unfold = "for (const part of document.querySelectorAll('details')) part.open = true";
const pages = [
  "index.html",
  "recipes/app.html",
  "recipes/app/2.10.0.html",
  "recipes/broken/1.0.html",
  "runs/index.html",
  "runs/2026-01-20T020000Z.html",
];

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

/** The site of the sample's runs in a folder, each page through `change`. */
async function sampleSite(change: (page: string) => string = (page) => page): Promise<string> {
  const folder = await temporaryFolder();
  for (const [path, text] of renderSite(sampleRuns(attack), { title: "Factory", reports: "reports/" })) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), path.endsWith(".html") ? change(text) : text);
  }
  return folder;
}

interface View {
  readonly width: number;
  readonly colorScheme?: "light" | "dark";
  readonly javaScriptEnabled?: boolean;
}

/** A tab whose console messages and requests over the network are problems. */
async function openTab(view: View): Promise<{ page: Page; problems: string[] }> {
  const { width, colorScheme = "light", javaScriptEnabled = true } = view;
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme, javaScriptEnabled });
  const problems: string[] = [];
  page.on("console", (message) => problems.push(message.text()));
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("request", (request) => void (/^https?:/.test(request.url()) && problems.push(request.url())));
  return { page, problems };
}

test.each([
  ["a desktop in light", 1200, "light"],
  ["a desktop in dark", 1200, "dark"],
  ["a phone in light", 390, "light"],
  ["a phone in dark", 390, "dark"],
] as const)("every kind of page on %s", async (_, width, colorScheme) => {
  const folder = await sampleSite();
  const { page, problems } = await openTab({ width, colorScheme });
  for (const path of pages) {
    await page.goto(`file://${join(folder, path)}`);
    for (const landmark of ["main", "banner", "contentinfo"] as const)
      expect(await page.getByRole(landmark).count(), `${landmark} of ${path}`).toBe(1);
    expect(await page.getByRole("navigation", { name: "Site" }).count()).toBe(1);
    expect(await page.getByRole("heading", { level: 1 }).count()).toBe(1);
    expect(await page.evaluate(overflow), `${path} is wider than the window`).toBeLessThanOrEqual(0);
    await page.evaluate(unfold);
    expect(await page.evaluate(overflow), `${path}, all open`).toBeLessThanOrEqual(0);
    expect(await page.evaluate("document.title")).not.toContain("owned");
    expect(await page.locator("script, img, iframe, object").count()).toBe(0);
    expect(await page.evaluate("/[\\u202a-\\u202e\\u2066-\\u2069]/.test(document.body.textContent)")).toBe(false);
    expect(await contrasts(page), path).toEqual([]);
    expect(await page.evaluate(areasWithoutContrast), path).toEqual([]);
  }
  expect(problems).toEqual([]);
  await page.close();
});

test("those who do not see it are told the same: tables, charts, marks", async () => {
  const folder = await sampleSite();
  const { page } = await openTab({ width: 390 });
  await page.goto(`file://${join(folder, "index.html")}`);
  const chart = page.getByRole("img", { name: /^Share of platforms in each state/ });
  expect(await chart.getAttribute("aria-label")).toContain(
    "1 identical, 3 equivalent, 2 extended, 1 different, 3 failed",
  );
  await page.getByText("The same as a table").click();
  const table = page.getByRole("table", { name: "Platforms in each state, by run" });
  expect(await table.getByRole("row").count()).toBe(21);
  // laid out as blocks on a phone, and a table all the same
  const recipes = page.getByRole("table", { name: "How each recipe stands in the newest run" });
  expect(await recipes.getByRole("row").count()).toBe(5);
  expect(await recipes.getByRole("rowheader", { name: "tool" }).count()).toBe(1);
  expect(await recipes.getByRole("columnheader", { name: "Reproduced" }).count()).toBe(1);
  await page.goto(`file://${join(folder, "recipes/app.html")}`);
  const grid = page.getByRole("table", { name: "Verdicts of app 2.10.0, the newest run first" });
  expect(await grid.getByRole("rowheader").allTextContents()).toEqual(["linux/amd64", "linux/arm64", "linux/riscv64"]);
  // what is too wide scrolls in a box of its own, which has a name and takes the keyboard
  const box = page.getByRole("region", { name: "Verdicts of app 2.10.0, the newest run first" });
  expect(await box.getAttribute("tabindex")).toBe("0");
  const wider = "((box) => box.scrollWidth > box.clientWidth)(document.querySelector('.scroll'))";
  expect(await page.evaluate(wider)).toBe(true);
  await page.close();
});

test("every difference is one click away, from the overview on, by keyboard and without scripts", async () => {
  const folder = await sampleSite();
  const { page } = await openTab({ width: 390, javaScriptEnabled: false });
  await page.goto(`file://${join(folder, "index.html")}`);
  await page.keyboard.press("Tab");
  expect(await page.locator(":focus").textContent()).toBe("To the content");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  const gravest = page.locator(":focus");
  expect(await gravest.textContent()).toBe("app 2.10.0");
  expect(await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")).toBe("solid");
  await page.keyboard.press("Enter");
  await page.waitForURL(/recipes\/app\/2\.10\.0\.html$/);
  const summary = page.getByText("2 kinds of difference, 41 unexplained");
  const differences = page.getByRole("table", { name: "Differences of linux/arm64" });
  expect(await differences.isVisible()).toBe(false);
  await summary.focus();
  await page.keyboard.press("Enter");
  expect(await differences.isVisible()).toBe(true);
  expect(await differences.getByText("module_19.py").isVisible()).toBe(true);
  await page.getByRole("navigation", { name: "Breadcrumb" }).getByRole("link", { name: "app" }).click();
  await page.waitForURL(/recipes\/app\.html$/);
  await page.getByRole("link", { name: "Runs" }).click();
  await page.getByRole("link", { name: "2026-01-20 02:00 UTC" }).click();
  await page.waitForURL(/runs\/2026-01-20T020000Z\.html$/);
  expect(await page.getByRole("region", { name: "Message" }).textContent()).toContain("<script>");
  // a box that scrolls is reached by keyboard
  expect(await page.getByRole("region", { name: "Message" }).getAttribute("tabindex")).toBe("0");
  await page.close();
});

test("a page that somebody wrote into runs nothing and loads nothing", async () => {
  // as if the escaping had failed: the page's own policy still holds
  const folder = await sampleSite((page) =>
    page.replace("<main", `<style>body { display: none }</style>${attack}<main`),
  );
  const { page } = await openTab({ width: 1200 });
  const finished: string[] = [];
  page.on("requestfinished", (request) => finished.push(request.url()));
  await page.goto(`file://${join(folder, "index.html")}`);
  expect(await page.title()).toBe("Overview – Factory");
  expect(await page.getByRole("main").isVisible()).toBe(true);
  expect(finished.filter((url) => !url.startsWith("file:") && !url.startsWith("data:"))).toEqual([]);
  await page.close();
});

test("a browser takes the feed and the badges for what they are", async () => {
  const folder = await sampleSite();
  const { page, problems } = await openTab({ width: 600 });
  await page.goto(`file://${join(folder, "badges/app.svg")}`);
  expect(await page.evaluate("document.documentElement.localName + document.querySelector('parsererror')")).toBe(
    "svgnull",
  );
  // no text of a badge is wider than its field
  expect(
    await page.evaluate(
      "[...document.querySelectorAll('text')].every((text, at) => text.getBBox().width <= document.querySelectorAll('g rect')[at].getBBox().width)",
    ),
  ).toBe(true);
  const parsed = await page.evaluate(
    `(() => { const feed = new DOMParser().parseFromString(${JSON.stringify(renderSite(sampleRuns(attack)).get("feed.xml"))}, "application/xml");
      return [feed.documentElement.localName, feed.querySelectorAll("entry").length, feed.querySelectorAll("parsererror").length]; })()`,
  );
  expect(parsed).toEqual(["feed", 3, 0]);
  expect(problems).toEqual([]);
  await page.close();
});

/** Text whose contrast with what is behind it is under WCAG's 4.5 to 1. */
async function contrasts(page: Page): Promise<string[]> {
  return page.evaluate(`(() => {
    const parse = (text) => text.match(/[\\d.]+/g).map(Number);
    const luminance = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = (node) => { for (let at = node; at; at = at.parentElement) { const c = parse(getComputedStyle(at).backgroundColor); if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
    const low = [];
    for (const node of document.querySelectorAll("body *:not(svg, svg *)")) {
      if (![...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim() !== "")) continue;
      const [a, b] = [luminance(parse(getComputedStyle(node).color)), luminance(behind(node))].sort((x, y) => y - x);
      if ((a + 0.05) / (b + 0.05) < 4.5) low.push(node.tagName + "." + node.className + " " + node.textContent.slice(0, 30));
    }
    return low;
  })()`);
}

/** Areas of the chart whose contrast with the card is under WCAG's 3 to 1 for graphics. */
const areasWithoutContrast = `(() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const card = luminance(parse(getComputedStyle(document.querySelector(".card")).backgroundColor));
  return [...document.querySelectorAll(".chart path")].filter((path) => {
    const [a, b] = [luminance(parse(getComputedStyle(path).fill)), card].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05) < 3;
  }).map((path) => path.getAttribute("class"));
})()`;
