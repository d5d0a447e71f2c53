import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Emit, runStage } from "../events.ts";
import { platformSlug } from "../oci/platform.ts";
import { type Outcome, withoutLogs } from "../outcome.ts";
import { renderReportPage } from "../report/html/page.ts";

/**
 * Writes what came of a rebuild into a folder: `outcome.json`, `report.html`, and the
 * logs of its builds. `shownFolder` is how the outcome names the folder. Gives the
 * outcome that says where its logs are.
 */
export async function writeResults(
  outcome: Outcome,
  folder: string,
  shownFolder: string,
  emit: Emit,
): Promise<Outcome> {
  return runStage(emit, { stage: "report", title: "report" }, async () => {
    const logName = ({ platform }: Outcome["platforms"][number]): string => `${platformSlug(platform)}.log`;
    const platforms = outcome.platforms.map((platform) =>
      platform.log ? { ...platform, logFile: join(shownFolder, "logs", logName(platform)) } : platform,
    );
    const written: Outcome = { ...outcome, platforms };
    await mkdir(join(folder, "logs"), { recursive: true });
    for (const platform of platforms)
      if (platform.log) await writeFile(join(folder, "logs", logName(platform)), platform.log);
    await writeFile(join(folder, "outcome.json"), `${JSON.stringify(withoutLogs(written), null, 2)}\n`);
    await writeFile(join(folder, "report.html"), renderReportPage(written));
    return { value: written, detail: outcome.report };
  });
}
