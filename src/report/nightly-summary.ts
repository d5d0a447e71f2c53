import type { NightlyRelease, NightlyRun } from "../nightly-run.ts";
import { formatSeconds, plainText } from "./text.ts";

/** A run for a chat or an issue (Markdown): what failed first, then what changed, what needs a person, the counts. */
export function summariseNightly(run: NightlyRun, before?: NightlyRun): string {
  const { releases, notices } = run;
  const count = (status: NightlyRelease["status"]): number =>
    releases.filter((release) => release.status === status).length;
  const failed = releases.filter(({ status }) => status === "failed");
  const seconds = (Date.parse(run.finishedAt) - Date.parse(run.startedAt)) / 1000;
  const counts = `${count("rebuilt")} rebuilt, ${count("verified")} built again as a sample, ${count("kept")} not due, ${failed.length} failed`;
  const changes = before ? changesBetween(before, run) : [];
  return [
    `## Nightly ${run.id}: ${failed.length === 0 ? "all that was due came out" : `${failed.length} failed`}`,
    "",
    `${counts}; ${formatSeconds(seconds)}.`,
    ...section("Failed", failed.map(describeFailure)),
    ...section("Changed since the last run", changes),
    ...section(
      "Needs a person",
      notices.map(({ recipe, version, sentence }) => `**${text(nameOf(recipe, version))}**: ${text(sentence)}`),
    ),
    ...section(
      "Refreshed: other inputs gave another image, which a pull request records",
      releases.filter(({ recorded }) => recorded === "refreshed").map(describeRefresh),
    ),
    ...section("Rebuilt", releases.filter(({ status }) => status === "rebuilt" || status === "verified").map(describe)),
    "",
  ].join("\n");
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ["", `### ${title}`, "", ...lines.map((line) => `- ${line}`)];
}

function describe(release: NightlyRelease): string {
  const verdicts = release.platforms.map(({ platform, verdict }) => `${platform} ${verdict}`).join(", ");
  return `**${text(nameOf(release.recipe, release.version))}** (${text(release.reason.code)}): ${text(verdicts)}`;
}

function describeRefresh({ recipe, version, reason }: NightlyRelease): string {
  return `**${text(nameOf(recipe, version))}** (${text(reason.code)}): ${text(reason.sentence)}`;
}

function describeFailure({ recipe, version, failure, attempts }: NightlyRelease): string {
  const [first = ""] = (failure?.message ?? "").split("\n");
  return `**${text(nameOf(recipe, version))}** ${failure?.errorClass ?? ""}, ${attempts} attempts: ${text(first)}`;
}

/** Verdicts of platforms that are others than the last run had. */
function changesBetween(before: NightlyRun, run: NightlyRun): string[] {
  const known = new Map<string, string>();
  for (const release of before.releases)
    for (const { platform, verdict } of release.platforms)
      known.set(`${nameOf(release.recipe, release.version)} ${platform}`, verdict);
  return run.releases.flatMap((release) =>
    release.platforms.flatMap(({ platform, verdict }) => {
      const name = `${nameOf(release.recipe, release.version)} ${platform}`;
      const was = known.get(name);
      return was === undefined || was === verdict ? [] : [`${text(name)}: ${was} -> ${verdict}`];
    }),
  );
}

function nameOf(recipe: string, version: string | undefined): string {
  return version === undefined || version === "" ? recipe : `${recipe} ${version}`;
}

/** Nothing that Markdown would read as more than text. */
function text(value: string): string {
  return plainText(value).replaceAll(/[\\`*_{}[\]<>|#@]/g, "\\$&");
}
