import type { Recipe, Release } from "../recipe/schema.ts";
import { compareVersions } from "../recipe/version.ts";
import { comparePlatforms } from "./platform-order.ts";
import { formatBytes } from "./text.ts";

/** A recipe and one of its releases. */
export interface Recorded {
  readonly recipe: Recipe;
  readonly release: Release;
}

/**
 * What releases record of their last rebuild, in Markdown: a table of recipes and platforms,
 * the rate below it, and why platforms are left out. By recipe, the newest version first.
 * Pure: the same releases give the same text. Ends with a new line.
 */
export function renderRecordedTable(all: readonly Recorded[]): string {
  const sorted = all.toSorted(
    (a, b) =>
      (a.recipe.image < b.recipe.image ? -1 : Number(a.recipe.image > b.recipe.image)) ||
      compareVersions(b.release.version, a.release.version),
  );
  const columns = [...new Set(sorted.flatMap(platformsNamed))].toSorted(comparePlatforms);
  const withSizes = sorted.some((one) => sizeOf(one, columns) !== "");
  const last = withSizes ? ["size"] : [];
  const rows = sorted.map((one, index) => [
    sorted[index - 1]?.recipe.image === one.recipe.image ? "" : one.recipe.image,
    one.release.version,
    ...columns.map((platform) => cellOf(one, platform)),
    ...(withSizes ? [sizeOf(one, columns)] : []),
  ]);
  const header = ["recipe", "version", ...columns.map(short), ...last];
  const lines = [header, header.map((title) => (title === "size" ? "---:" : "---")), ...rows];
  return [
    ...lines.map((cells) => `| ${cells.join(" | ")} |`),
    "",
    legendOf(withSizes),
    "",
    rateOf(sorted),
    ...omissionsOf(sorted),
    "",
  ].join("\n");
}

function short(platform: string): string {
  return platform.replace("linux/", "");
}

function platformsNamed({ recipe: { platforms } }: Recorded): string[] {
  return [...platforms.reproduce, ...platforms.extend, ...platforms.omit.map(({ platform }) => platform)];
}

type RecordedPlatform = NonNullable<Release["expect"]>["platforms"][keyof NonNullable<Release["expect"]>["platforms"]];

function recordedOf({ release }: Recorded, platform: string): RecordedPlatform | undefined {
  return Object.entries(release.expect?.platforms ?? {}).find(([name]) => name === platform)?.[1];
}

function isOmitted({ recipe }: Recorded, platform: string): boolean {
  return recipe.platforms.omit.some((omitted) => omitted.platform === platform);
}

function cellOf(one: Recorded, platform: string): string {
  const recorded = recordedOf(one, platform);
  if (!recorded) {
    if (isOmitted(one, platform)) return "left out";
    return platformsNamed(one).includes(platform) ? "not recorded" : "";
  }
  const { verdict, level, waived } = recorded;
  if (verdict === undefined) return "not recorded";
  if (verdict === "extended") return "none" in one.recipe.upstream ? "own" : "added";
  const equalAt = verdict === "equivalent" && level !== undefined ? level : verdict;
  return waived === undefined ? equalAt : `${equalAt}, waived`;
}

/** Of the image for the first platform that has one recorded. */
function sizeOf(one: Recorded, columns: readonly string[]): string {
  const sizes = columns.flatMap((platform) => recordedOf(one, platform)?.size ?? []);
  return sizes[0] === undefined ? "" : formatBytes(sizes[0]);
}

function legendOf(withSizes: boolean): string {
  const size = withSizes ? " The size is that of the image for the first platform, compressed." : "";
  return (
    "`layers`, `entries`, `filesystem` and `explained` are levels at which a rebuild is equivalent to upstream's " +
    "(`waived`: with a waiver of the recipe); `added` are platforms that upstream never released; `own` are " +
    "images of our own, which have no upstream; `left out` are platforms that upstream has and the recipe does " +
    `not reproduce.${size}`
  );
}

/** Of what upstream has, how much came out how; what is left out counts too. */
function rateOf(all: readonly Recorded[]): string {
  const cells = all.flatMap((one) => [...new Set(platformsNamed(one))].map((platform) => stateOf(one, platform)));
  const count = (wanted: string): number => cells.filter((cell) => cell === wanted).length;
  const added = count("added");
  const own = count("own");
  const compared = cells.length - added - own - count("not counted");
  const share = (wanted: string): string =>
    `${count(wanted)} ${wanted} (${compared === 0 ? 0 : Math.round((count(wanted) / compared) * 100)} %)`;
  const states = ["identical", "equivalent", "drift", "different", "left out"].map(share);
  if (count("not recorded") > 0) states.push(share("not recorded"));
  const waived = all.flatMap((one) =>
    platformsNamed(one).filter((platform) => recordedOf(one, platform)?.waived !== undefined),
  ).length;
  return (
    `Of ${compared} images that upstream has: ${states.join(", ")}. ` +
    `${waived === 0 ? "" : `${waived} of the equivalent ones rest on waivers. `}` +
    `${added} more are for platforms that upstream never released, and ${own} are of images of our own.`
  );
}

function stateOf(one: Recorded, platform: string): string {
  const cell = cellOf(one, platform);
  if (cell === "added" || cell === "own" || cell === "left out") return cell;
  const verdict = recordedOf(one, platform)?.verdict;
  if (verdict !== undefined) return verdict;
  return one.recipe.platforms.reproduce.some((name) => name === platform) ? "not recorded" : "not counted";
}

/** Each reason once, with the recipes and platforms that it is about. */
function omissionsOf(all: readonly Recorded[]): string[] {
  const about = new Map<string, Set<string>>();
  for (const one of all) {
    for (const { platform, reason } of one.recipe.platforms.omit) {
      if (recordedOf(one, platform)) continue;
      const names = about.get(reason) ?? new Set();
      about.set(reason, names.add(`${one.recipe.image} for ${short(platform)}`));
    }
  }
  if (about.size === 0) return [];
  return ["", "Left out:", "", ...[...about].map(([reason, names]) => `- ${[...names].join(", ")}: ${reason}`)];
}
