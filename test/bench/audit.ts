// How long an audit of a large catalogue takes, and how much memory: 1,000 recipes with ten
// releases each. Run with npm run bench:audit [RECIPES] [RELEASES EACH].
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { writeSyntheticCatalogue } from "./synthetic-catalogue.ts";

const [recipes = 1000, releasesEach = 10] = process.argv.slice(2).map(Number);
const root = new URL("../..", import.meta.url).pathname;
const folder = await mkdtemp(join(tmpdir(), "refoundry-bench-audit-"));
const report = `process.on("exit", () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  process.stderr.write(["used", maxRSS, userCPUTime + systemCPUTime].join(" ") + "\\n");
});`;
try {
  await writeSyntheticCatalogue(folder, { recipes, releasesEach, platforms: 3, seed: 1 });
  for (const format of ["table", "json", "csv", "spdx"]) {
    const startedAt = performance.now();
    const { stdout, stderr } = await execa(
      process.execPath,
      [
        "--max-semi-space-size=4",
        "--import",
        `data:text/javascript,${encodeURIComponent(report)}`,
        join(root, "src/cli.ts"),
        "audit",
        "--format",
        format,
      ],
      { cwd: folder, maxBuffer: 1e9 },
    );
    const seconds = (performance.now() - startedAt) / 1000;
    const [, kibibytes = 0, microseconds = 0] = (/used (\d+) (\d+)/.exec(stderr) ?? []).map(Number);
    process.stdout.write(
      `${format}: ${seconds.toFixed(2)} s (processor ${(microseconds / 1e6).toFixed(2)} s), peak ${Math.round(kibibytes / 1024)} MiB; ${stdout.split("\n").at(-1)?.slice(0, 60)}\n`,
    );
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
