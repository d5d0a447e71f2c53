import { readHeld } from "../audit/held.ts";
import { takeInventory } from "../audit/inventory.ts";
import { formatProblem, RefoundryError, usageError } from "../errors.ts";
import { openEscrow } from "../escrow/open-escrow.ts";
import { referToCapsule } from "../escrow/refer.ts";
import { listReleaseHoldings } from "../escrow/release-inputs.ts";
import { findRoot, type LoadedRelease, loadReleaseInputs, type SharedDocuments } from "../recipe/load.ts";
import { lostInputs } from "../nightly/lost-inputs.ts";
import { type VendoredRelease, vendorRelease } from "../rebuild/vendor-release.ts";
import type { MissingSource, WantedSources } from "../rebuild/vendor-package-sources.ts";
import { formatBytes, plainText } from "../report/text.ts";
import { type CliContext, type CommandResult, type CommonFlags, runCommand } from "./context.ts";
import { withFactory } from "./factory.ts";
import { nameReleases } from "./name-releases.ts";
import { loadInputs } from "./rebuild-one.ts";

/** Flags of `refoundry vendor`. */
export interface VendorFlags extends CommonFlags {
  readonly escrow?: string;
  readonly all?: boolean;
  /** Which source packages of the toolchains' packages are taken: all, copyleft or none. */
  readonly sources?: string;
  /** Where the releases are whose indexes are to refer to their capsules. */
  readonly refer?: string;
  /** Only ask whether what releases are made from is still where it was. */
  readonly refresh?: boolean;
}

type Vendored =
  | ({
      readonly release: string;
      /** Whether its index refers to the capsule now; only where that was asked for. */
      readonly referred?: boolean;
    } & VendoredRelease)
  | { readonly release: string; readonly problems: RefoundryError["problems"] };

/** `refoundry vendor RECIPE[@VERSION]...`: puts everything that releases stand on into the escrow. */
export function vendor(this: CliContext, flags: VendorFlags, ...releases: readonly string[]): Promise<void> {
  return runCommand(this, flags, async () => {
    if (flags.refresh) return refresh(this, flags, releases);
    const root = await findRoot(this.cwd);
    const sources = readWantedSources(flags.sources);
    const wanted = await nameReleases(this, flags, releases);
    return withFactory(this, async (factory) => {
      const place = flags.escrow ?? factory.settings.escrow;
      if (place === undefined)
        throw usageError("which escrow?", { hint: "give --escrow HOST/NAME or oci:PATH, or set REFOUNDRY_ESCROW" });
      const escrow = await openEscrow(place, factory.registry, { cwd: this.cwd, create: true });
      const releasesAt =
        flags.refer === undefined ? undefined : await openEscrow(flags.refer, factory.registry, { cwd: this.cwd });
      const results: Vendored[] = [];
      for (const { recipe, version } of wanted) {
        const release = `${recipe}@${version}`;
        try {
          const inputs = await loadInputs(this, release);
          const vendored = await vendorRelease(inputs, { root, sources }, escrow, factory);
          const index = inputs.release.expect?.index;
          const referred =
            releasesAt &&
            index !== undefined &&
            (await referToCapsule(releasesAt, index, { ...vendored, escrow: escrow.name }, factory.signal));
          results.push({ release, ...vendored, ...(referred !== undefined && { referred }) });
        } catch (error) {
          if (!(error instanceof RefoundryError) || error.kind === "interrupted" || wanted.length === 1) throw error;
          results.push({ release, problems: error.problems });
        }
      }
      return {
        text: render(results, escrow.name),
        document: { schema: "refoundry/vendor/v1", escrow: escrow.name, releases: results },
        exitCode: results.every((result) => "capsule" in result) ? 0 : 3,
      };
    });
  });
}

/** Says what is gone or moved of what releases are made from, and whether the escrow holds them whole. */
async function refresh(context: CliContext, flags: VendorFlags, releases: readonly string[]): Promise<CommandResult> {
  const wanted = await nameReleases(context, { all: releases.length === 0 }, releases);
  const root = await findRoot(context.cwd);
  const today = new Date().toISOString().slice(0, 10);
  const shared: SharedDocuments = new Map();
  const loaded: LoadedRelease[] = [];
  for (const { recipe, version } of wanted)
    loaded.push(await loadReleaseInputs(root, recipe, { version, today, shared }));
  return withFactory(context, async (factory) => {
    const lost = await lostInputs(loaded, factory);
    const place = flags.escrow ?? factory.settings.escrow;
    const escrow = place === undefined ? undefined : await openEscrow(place, factory.registry, { cwd: context.cwd });
    const held = escrow ? await readHeld(escrow, factory.signal) : new Map<string, never>();
    const audited = loaded.map((inputs) => ({
      recipe: inputs.recipe.image,
      version: inputs.release.version,
      holdings: listReleaseHoldings(inputs),
      ledger: [],
    }));
    const { closures } = takeInventory(audited, held, today);
    const whole = new Set(closures.filter(({ missing }) => missing.length === 0).map(({ release }) => release));
    const isHeld = ({ recipe, version }: (typeof lost)[number]): boolean =>
      audited
        .filter((each) => each.recipe === recipe && (version === undefined || each.version === version))
        .every((each) => whole.has(`${each.recipe}@${each.version}`));
    const findings = lost.map((notice) => ({ ...notice, held: isHeld(notice) }));
    const lines = findings.map(
      ({ recipe, version, sentence, held: safe }) =>
        `${recipe}${version === undefined ? "" : `@${version}`}: ${sentence} (${safe ? "the escrow holds it" : "NOT held"})`,
    );
    const summary = `${loaded.length} releases were looked after: ${findings.length} of their inputs are gone or moved, ${findings.filter(({ held: safe }) => !safe).length} of these are not held`;
    return {
      text: [...lines.map(plainText), "", summary].join("\n"),
      document: { schema: "refoundry/refresh/v1", releases: loaded.length, findings },
      exitCode: findings.every(({ held: safe }) => safe) ? 0 : 1,
    };
  });
}

function readWantedSources(text = "all"): WantedSources {
  if (text === "all" || text === "copyleft" || text === "none") return text;
  throw usageError(`--sources is all, copyleft or none, and not ${text}`);
}

function render(results: readonly Vendored[], escrow: string): string {
  const lines = results.map((result) =>
    "capsule" in result
      ? `${result.release}: ${result.capsule.digest}, ${formatBytes(result.bytes)}, ${sentence(result)}${result.referred === false ? "; its index is not where it was to refer to this" : ""}`
      : `${result.release} failed: ${result.problems.map(formatProblem).join("\n")}`,
  );
  const held = results.filter((result) => "capsule" in result);
  const missing = new Map(
    held.flatMap((result) => result.missing.map((each) => [`${each.name} ${each.version} ${each.path ?? ""}`, each])),
  );
  const sent = held.reduce((sum, { bytesSent }) => sum + bytesSent, 0);
  return [
    ...lines,
    ...describeMissing([...missing.values()]),
    "",
    `${held.length} of ${results.length} releases are in ${escrow}; ${formatBytes(sent)} were sent`,
  ].join("\n");
}

function describeMissing(missing: readonly MissingSource[]): string[] {
  if (missing.length === 0) return [];
  const packages = [...new Set(missing.map(({ name, version }) => `${name} ${version}`))];
  const more = packages.length > 5 ? ` and ${packages.length - 5} more` : "";
  const [first] = missing;
  return [
    plainText(
      `of the sources of ${packages.length} packages, ${missing.length} pieces are not to be had: ${packages.slice(0, 5).join(", ")}${more} (--json names each)`,
    ),
    plainText(`the first: ${first?.reason ?? ""}`),
  ];
}

function sentence({ blobs, blobsSent }: VendoredRelease): string {
  return blobsSent === 0 ? "all of it was there" : `${blobsSent} of ${blobs} pieces sent`;
}
