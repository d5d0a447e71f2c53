import type { NightlyRelease } from "../nightly-run.ts";
import type { Release } from "../recipe/schema.ts";
import { markdownCode as code, markdownText as text } from "./markdown-text.ts";
import { shortDigest } from "./text.ts";

/** A release that came out, and of which the checkout recorded something else, or nothing. */
export interface Refreshed extends Pick<NightlyRelease, "recipe" | "version" | "reason"> {
  readonly before: Release["expect"];
  readonly after: NonNullable<Release["expect"]>;
}

/** Rows beyond these are counted: a pull request's text has room for 65536 characters. */
const rowsAtMost = 150;

/**
 * The text of a pull request that records what a night gave from other inputs than before:
 * the reason of each release, then each image as it was and is. Its first line is the title.
 */
export function renderRefresh(run: string, refreshed: readonly Refreshed[]): string {
  const rows = refreshed.flatMap(rowsOf);
  const rest = rows.length - rowsAtMost;
  const count = refreshed.length === 1 ? "1 release" : `${refreshed.length} releases`;
  return [
    `Record what ${count} gave in the night of ${run.slice(0, 10)}`,
    "",
    `The nightly ${code(run)} built these anew, because what they are made from is not what they recorded. Each was compared with upstream and passed its smoke tests. Once this is merged, every later rebuild from these inputs has to give these digests; any other is an error.`,
    "",
    "| release | reason | |",
    "| --- | --- | --- |",
    ...refreshed
      .slice(0, rowsAtMost)
      .map(({ reason, ...of }) => `| ${nameOf(of)} | ${code(reason.code)} | ${text(reason.sentence)} |`),
    "",
    "| release | platform | verdict | image before | image now |",
    "| --- | --- | --- | --- | --- |",
    ...rows.slice(0, rowsAtMost),
    ...(rest > 0 ? ["", `and ${rest} more platforms, in the change itself`] : []),
    "",
  ].join("\n");
}

function rowsOf({ before, after, ...of }: Refreshed): string[] {
  const names = [...new Set([...Object.keys(after.platforms), ...Object.keys(before?.platforms ?? {})])].toSorted();
  return names.map((name) => {
    const [was, is] = [before?.platforms, after.platforms].map(
      (platforms) => Object.entries(platforms ?? {}).find(([platform]) => platform === name)?.[1],
    );
    const verdict =
      was?.verdict === undefined || was.verdict === is?.verdict
        ? text(is?.verdict ?? "")
        : `**${text(was.verdict)} → ${text(is?.verdict ?? "none")}**`;
    const now =
      is === undefined
        ? "not of it any more"
        : is.manifest === was?.manifest
          ? "the same"
          : code(shortDigest(is.manifest));
    return `| ${nameOf(of)} | ${text(name)} | ${verdict} | ${was ? code(shortDigest(was.manifest)) : "not recorded"} | ${now} |`;
  });
}

function nameOf({ recipe, version }: Pick<Refreshed, "recipe" | "version">): string {
  return code(`${recipe}@${version}`);
}
