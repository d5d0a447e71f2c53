import { plainText, shortDigest } from "../report/text.ts";
import type { Explanation } from "./explain.ts";

/** An explanation for people: a heading for each part, one line a fact. Ends with a new line. */
export function renderExplanation(explanation: Explanation): string {
  const { recipe, version, inputs, neededBy, expect, plan, rebuiltBy, history, released, omitted, waivers, missing } =
    explanation;
  return [
    `${plainText(recipe)} ${plainText(version)}`,
    ...part(
      "made from",
      inputs.flatMap(({ kind, name, version: which, digest, context, places }) => [
        `${kind}  ${name} ${which}${context === undefined ? "" : `  (context ${context})`}`,
        `  ${digest}${places.length > 0 ? `  from ${places.join(", then ")}` : ""}`,
      ]),
      "",
    ),
    ...part(
      "needed by",
      neededBy.map(
        ({ recipe: name, version: which, directly }) => `${name} ${which}${directly ? "" : ", through others"}`,
      ),
      "no other release",
    ),
    ...part("recorded", recordedLines(expect), "nothing yet: refoundry rebuild --record writes it"),
    ...part(
      "now",
      plan.map(
        ({ platform, due, reason }) => `${platform}  ${due ? "due" : "not due"} (${reason.code}): ${reason.sentence}`,
      ),
      "no plan could be made",
    ),
    ...part(
      "would make it rebuild",
      rebuiltBy.map(({ code, sentence }) => `${code}: ${sentence}`),
      undefined,
    ),
    ...part("released", releasedLines(released), "not asked: --registry HOST/PREFIX asks"),
    ...part(
      "verdicts, newest first",
      history.map(({ run, status, platforms, failure }) => {
        const verdicts = platforms.map(({ platform, verdict }) => `${platform} ${verdict}`).join(", ");
        return `${run}  ${[status, failure?.errorClass, verdicts].filter(Boolean).join("  ")}`;
      }),
      "no run of the history has it",
    ),
    ...part(
      "left out, although upstream has them",
      omitted.map(({ platform, reason }) => `${platform}: ${reason}`),
      undefined,
    ),
    ...part(
      "waivers",
      waivers.map(({ class: name, paths, platforms, reason, owner, expires, daysLeft }) => {
        const left = daysLeft < 0 ? "expired" : `${daysLeft} days left`;
        const where = platforms ? ` on ${platforms.join(", ")}` : "";
        return `${name} for ${paths.join(", ")}${where}: ${reason} (${owner}, until ${expires}, ${left})`;
      }),
      "none",
    ),
    ...part(
      "could not be had",
      missing.map(({ part: name, message }) => `${name}: ${message.split("\n")[0] ?? ""}`),
      undefined,
    ),
    "",
  ].join("\n");
}

/** A part without lines says `otherwise`, or is left out where that is undefined. */
function part(title: string, lines: readonly string[], otherwise: string | undefined): string[] {
  if (lines.length === 0 && otherwise === undefined) return [];
  const shown = lines.length === 0 ? [otherwise ?? ""] : lines;
  return ["", title, ...shown.map((line) => `  ${plainText(line)}`)];
}

function recordedLines(expect: Explanation["expect"]): string[] {
  if (!expect) return [];
  const platforms = Object.entries(expect.platforms).map(([platform, { manifest, buildKey, verdict, level }]) =>
    `${platform}  ${manifest}  key ${shortDigest(buildKey)}  ${verdict ?? ""}${level === undefined ? "" : ` at ${level}`}`.trimEnd(),
  );
  return [`index  ${expect.index}`, ...platforms];
}

function releasedLines(released: Explanation["released"]): string[] {
  if (!released) return [];
  const { name, index, isRecorded } = released;
  if (index === null) return [`there is no ${name}`];
  return [`${name} is ${index}, ${isRecorded ? "which the release records" : "which the release does not record"}`];
}
