import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readRunFiles, readSiteOptions, writeSite } from "../../../src/commands/site.ts";
import { temporaryFolder } from "../../support/temporary.ts";
import { sampleRelease, sampleRun, sampleRuns } from "./site-runs.ts";

test("a site is written, and written again: what is no more goes, what is not of it stays", async () => {
  const folder = join(await temporaryFolder(), "site");
  const runs = sampleRuns();
  const { files, bytes } = await writeSite(runs, folder, {});
  expect(files).toBe(39);
  expect(bytes).toBeGreaterThan(100_000);
  await mkdir(join(folder, "reports"));
  await writeFile(join(folder, "reports/kept.html"), "kept");
  await writeSite([sampleRun(30, [sampleRelease("app", "2.10.0", { "linux/amd64": "identical" })])], folder, {});
  expect(existsSync(join(folder, "recipes/tool.html"))).toBe(false);
  expect(existsSync(join(folder, "recipes/app/1.0.html"))).toBe(false);
  expect(existsSync(join(folder, "recipes/app/2.10.0.html"))).toBe(true);
  expect(await readFile(join(folder, "reports/kept.html"), "utf8")).toBe("kept");
  expect(await readFile(join(folder, "index.html"), "utf8")).toContain("2026-01-31");
});

test("a folder with other things in it is left alone", async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "notes.txt"), "mine");
  await expect(writeSite([], folder, {})).rejects.toThrow(/holds something else than a site/);
  await expect(writeSite([], join(folder, "notes.txt"), {})).rejects.toThrow(/cannot be the site's folder \(ENOTDIR\)/);
  expect(existsSync(join(folder, "index.html"))).toBe(false);
});

test("runs are read from files and folders, newest first, each once, other files left out", async () => {
  const folder = await temporaryFolder();
  const runs = sampleRuns("plain", 3);
  await mkdir(join(folder, "a/b"), { recursive: true });
  for (const [at, run] of runs.entries())
    await writeFile(join(folder, at === 1 ? "a/b" : "a", `${run.id}.json`), JSON.stringify(run));
  await writeFile(join(folder, "a/copy.json"), JSON.stringify(runs[0]));
  await writeFile(join(folder, "a/outcome.json"), JSON.stringify({ schema: "refoundry/outcome/v1" }));
  await writeFile(join(folder, "a/torn.json"), JSON.stringify(runs[0]).slice(0, 500));
  expect(await readRunFiles([folder])).toEqual(runs);
  expect(await readRunFiles([join(folder, "a/b", `${runs[1]?.id}.json`)])).toEqual([runs[1]]);
  await expect(readRunFiles([join(folder, "a/outcome.json")])).rejects.toThrow(/is not a nightly run/);
  await expect(readRunFiles([join(folder, "missing")])).rejects.toThrow(/cannot be read \(ENOENT\)/);
});

test("addresses that are none are refused", () => {
  expect(readSiteOptions({ baseUrl: "https://site.example/a", reports: "reports" })).toEqual({
    baseUrl: "https://site.example/a/",
    reports: "reports",
  });
  expect(() => readSiteOptions({ baseUrl: "site.example" })).toThrow(/--base-url/);
  expect(() => readSiteOptions({ reports: "javascript:alert(1)//" })).toThrow(/--reports/);
});
