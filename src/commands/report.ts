import { readFile, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { errorCode, usageError } from "../errors.ts";
import { platformSlug } from "../oci/platform.ts";
import type { Outcome } from "../outcome.ts";
import { renderReportPage } from "../report/html/page.ts";
import { type CliContext, type CommonFlags, runCommand } from "./context.ts";
import { site } from "./site.ts";

/** Flags of `refoundry report`. */
export interface ReportFlags extends CommonFlags {
  readonly output?: string;
  /** Where runs are kept; of the site. */
  readonly history?: string;
  /** The site's folder. */
  readonly out?: string;
}

/** `refoundry report [OUTCOME.json]`: the page of one outcome; without one, the site of all runs that are kept. */
export function report(this: CliContext, flags: ReportFlags, path?: string): Promise<void> {
  if (path === undefined && flags.output === undefined) return site.call(this, flags);
  return runCommand(this, flags, async () => {
    if (path === undefined)
      throw usageError("--output is of one outcome's page", {
        hint: "name OUTCOME.json, or the site's folder with --out",
      });
    if (flags.history !== undefined || flags.out !== undefined)
      throw usageError("--history and --out are of the site, and an outcome has one page", { hint: "--output FILE" });
    const file = resolve(this.cwd, path);
    const outcome = await readOutcome(file);
    const logs = join(dirname(file), "logs");
    const platforms = await Promise.all(
      outcome.platforms.map(async (platform) => {
        const log = await readFile(join(logs, `${platformSlug(platform.platform)}.log`), "utf8").catch(() => undefined);
        return log === undefined ? platform : { ...platform, log };
      }),
    );
    const output = resolve(this.cwd, flags.output ?? join(dirname(file), "report.html"));
    await writeFile(output, renderReportPage({ ...outcome, platforms }));
    return { text: output, document: { schema: "refoundry/report/v1", report: output }, exitCode: 0 };
  });
}

async function readOutcome(file: string): Promise<Outcome> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw usageError(`${file} cannot be read (${errorCode(cause) ?? "unknown reason"})`, {
      cause,
      hint: "refoundry rebuild writes out/<recipe>/<version>/outcome.json",
    });
  });
  const parsed = parseJson(text);
  const isOutcome =
    typeof parsed === "object" && parsed !== null && "schema" in parsed && parsed.schema === "refoundry/outcome/v1";
  if (!isOutcome) throw usageError(`${file} is not an outcome of a rebuild (refoundry/outcome/v1)`);
  return parsed as unknown as Outcome;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
