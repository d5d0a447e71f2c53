import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { renderReportPage } from "../../src/report/html/page.ts";
import { sampleOutcome } from "../support/outcomes.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { toolPath } from "../support/tools.ts";

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

test.each([
  ["a desktop in light", 1200, "light"],
  ["a phone in dark", 390, "dark"],
] as const)("the report on %s", async (_, width, colorScheme) => {
  const path = join(await temporaryFolder(), "report.html");
  await writeFile(path, renderReportPage(sampleOutcome("<b>text</b>")));
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme, javaScriptEnabled: true });
  const problems: string[] = [];
  page.on("console", (message) => problems.push(message.text()));
  page.on("request", (request) => void (request.url().startsWith("http") && problems.push(request.url())));
  await page.goto(`file://${path}`);
  expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe("sample <b>text</b>");
  // style may lay a table out otherwise on a phone; it stays a table for those who do not see it
  expect(await page.getByRole("table").first().getByRole("row").count()).toBe(6);
  expect(await page.getByRole("rowheader", { name: "linux/amd64" }).count()).toBe(1);
  const row = page.getByRole("table").first().getByRole("row").nth(1);
  expect(await row.getByRole("img", { name: "equal", exact: true }).count()).toBe(2);
  expect(await row.getByRole("img", { name: "not equal" }).count()).toBe(4);
  const extended = page.getByRole("table").first().getByRole("row").nth(2);
  expect(await extended.textContent()).toContain("never released upstream");
  expect(await extended.getByRole("img").count()).toBe(0);
  for (const landmark of ["main", "banner", "contentinfo"] as const)
    expect(await page.getByRole(landmark).count()).toBe(1);
  const overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
  expect(await page.evaluate(overflow)).toBeLessThanOrEqual(0);
  await page.getByText("Build log").first().click();
  expect(await page.locator("details[open] pre").first().textContent()).toContain("line one");
  await page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true");
  expect(await page.evaluate(overflow)).toBeLessThanOrEqual(0);
  expect(await contrasts(page)).toEqual([]);
  expect(problems).toEqual([]);
  await page.close();
});

test("without scripts, by keyboard, and a digest that is cut for a phone is copied whole", async () => {
  const path = join(await temporaryFolder(), "report.html");
  const outcome = sampleOutcome();
  await writeFile(path, renderReportPage(outcome));
  const page = await browser.newPage({ viewport: { width: 390, height: 900 }, javaScriptEnabled: false });
  await page.goto(`file://${path}`);
  await page.keyboard.press("Tab");
  expect(await page.locator(":focus").textContent()).toBe("To the platforms");
  await page.keyboard.press("Tab");
  const link = page.locator(":focus");
  expect(await link.textContent()).toBe("linux/amd64");
  expect(await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")).toBe("solid");
  await page.keyboard.press("Enter");
  expect(page.url()).toMatch(/#linux-amd64$/);
  const summary = page.getByText("1 smoke test passed, natively");
  await summary.focus();
  await page.keyboard.press("Enter");
  expect(await page.getByRole("region", { name: "Output of /app plain" }).first().isVisible()).toBe(true);
  const digest = page.getByRole("banner").locator(".digest").first();
  expect(
    await page.evaluate(
      "[...document.querySelectorAll('header .digest')].some((node) => node.scrollWidth > node.clientWidth)",
    ),
  ).toBe(true);
  await digest.click();
  expect(await page.evaluate("getSelection().toString()")).toBe(outcome.index?.digest);
  await page.close();
});

test("a page that somebody wrote into runs nothing and loads nothing", async () => {
  const path = join(await temporaryFolder(), "report.html");
  const attack = `<script>document.title = "owned"</script><style>body { display: none }</style><img src="http://127.0.0.1:9/x">`;
  // as if the escaping had failed: the page's own policy still holds
  await writeFile(path, renderReportPage(sampleOutcome()).replace("<main", `${attack}<main`));
  const page = await browser.newPage();
  const requests: string[] = [];
  page.on("requestfinished", (request) => requests.push(request.url()));
  await page.goto(`file://${path}`);
  expect(await page.title()).toBe("sample plain – refoundry");
  expect(await page.getByRole("main").isVisible()).toBe(true);
  expect(requests.filter((url) => url.startsWith("http"))).toEqual([]);
  await page.close();
});

/** Text whose contrast with what is behind it is under WCAG's 4.5 to 1. */
async function contrasts(page: Awaited<ReturnType<Browser["newPage"]>>): Promise<string[]> {
  return page.evaluate(`(() => {
    const parse = (text) => text.match(/[\\d.]+/g).map(Number);
    const luminance = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = (node) => { for (let at = node; at; at = at.parentElement) { const c = parse(getComputedStyle(at).backgroundColor); if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
    const low = [];
    for (const node of document.querySelectorAll("h1, h2, h3, p, th, td, dt, dd, a, strong, summary, code, li, figcaption, .badge, .mark, .soft, .note, .addition, .label, pre, footer")) {
      const [a, b] = [luminance(parse(getComputedStyle(node).color)), luminance(behind(node))].sort((x, y) => y - x);
      if ((a + 0.05) / (b + 0.05) < 4.5) low.push(node.tagName + "." + node.className + " " + node.textContent.slice(0, 30));
    }
    return low;
  })()`);
}
