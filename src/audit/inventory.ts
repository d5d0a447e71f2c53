import { holdingKey } from "../escrow/release-inputs.ts";
import { collectInputs } from "./inputs.ts";
import type { Holding, HoldingKind } from "../escrow/types.ts";
import type { LedgerEntry } from "../recipe/schema.ts";

/** A release with every input that it stands on, transitively. */
export interface AuditedRelease {
  readonly recipe: string;
  readonly version: string;
  readonly holdings: readonly Holding[];
  /** The hermeticity ledgers of its recipe and of those that it stands on. */
  readonly ledger: readonly LedgerEntry[];
}

/** Where an input is held, and since when (RFC 3339), where that is known. */
export interface Held {
  readonly where: string;
  readonly since?: string;
  /** Where it came from when it was put there: a fork, upstream, a mirror, an archive. */
  readonly from?: string;
}

/** One input of any release, with all that need it. */
export interface AuditEntry extends Omit<Holding, "of"> {
  readonly held?: Held;
  /** `RECIPE@VERSION`. */
  readonly neededBy: readonly string[];
}

/** A kind of input: how many of a release's there are, and how many are held. */
export interface ClosurePart {
  readonly part: "recipe" | "sources" | "toolchains" | "packages" | "sources of packages" | "upstream" | "tools named";
  readonly held: number;
  readonly all: number;
}

/** How much of what one release stands on is in our own hands. */
export interface Closure {
  readonly release: string;
  /** Of everything, in percent, rounded down: 100 is whole. */
  readonly percent: number;
  readonly parts: readonly ClosurePart[];
  /** Inputs that are not held. */
  readonly missing: readonly Holding[];
  /** How many packages there are whose source package nothing pins. */
  readonly unpinnedSources: number;
  /** How many of all these no entry of a ledger declares that holds today. */
  readonly undeclared: number;
}

/** An entry of a hermeticity ledger, with what it covers. */
export interface LedgerLine extends LedgerEntry {
  /** Its last day is past: it declares nothing. */
  readonly expired: boolean;
  /** Releases (`RECIPE@VERSION`) that stand on an input which it names and which is not held. */
  readonly covers: readonly string[];
}

/** A source whose licence obliges whoever hands out its binaries to offer it. */
export interface SourceOffer {
  readonly source: string;
  readonly version: string;
  readonly licence: string;
  /** Of a source that is built from; absent for the source package of a toolchain's package. */
  readonly commit?: string;
  /** Where the source can be had from us; undefined where we do not hold it. */
  readonly offered?: string;
  readonly neededBy: readonly string[];
}

/** All inputs, what is held of them, and what follows from that. */
export interface Inventory {
  readonly entries: readonly AuditEntry[];
  readonly closures: readonly Closure[];
  readonly offers: readonly SourceOffer[];
  readonly ledger: readonly LedgerLine[];
}

const copyleft = /\b(?:A|L)?GPL-|\bMPL-|\bEPL-|\bCDDL-|\bCC-BY-SA-|\bOSL-/;

/** A mirror has only what is current; an archive has what was. */
const pinFirst =
  "refoundry toolchain sources TOOLCHAIN, with REFOUNDRY_DEBIAN_SNAPSHOT naming a snapshot archive that has it";

/**
 * What to do about an input that a release (`RECIPE@VERSION`) needs and nobody holds: a
 * command, and what it needs.
 */
export function howToGet(release: string, missing: Holding): string {
  return isPinned(missing) ? `refoundry vendor ${release}` : pinFirst;
}

/**
 * Takes stock: every input of the releases once, with who needs it and where it is held,
 * how complete each release's closure is, and what of the rest the ledgers declare. Pure;
 * `held` is by {@link holdingKey}, `today` is `YYYY-MM-DD`.
 */
export function takeInventory(
  releases: Iterable<AuditedRelease>,
  held: ReadonlyMap<string, Held>,
  today: string,
): Inventory {
  const taker = startInventory(held, today);
  for (const release of releases) taker.take(release);
  return taker.done();
}

/** An inventory that is being taken, release by release. */
export interface InventoryTaker {
  readonly take: (release: AuditedRelease) => void;
  /** All that was taken; nothing is taken after it. */
  readonly done: () => Inventory;
}

/** As {@link takeInventory}, for releases that are too many to be held at once. */
export function startInventory(held: ReadonlyMap<string, Held>, today: string): InventoryTaker {
  const inputs = collectInputs();
  const closures: Closure[] = [];
  const covers = new Map<string, { readonly entry: LedgerEntry; readonly covered: string[] }>();
  const take = ({ recipe, version, holdings: given, ledger }: AuditedRelease): void => {
    const release = `${recipe}@${version}`;
    const holdings = given.map((holding) => inputs.add(holding, release));
    const closure = closureOf(release, holdings, held);
    for (const entry of ledger) {
      const key = JSON.stringify(entry);
      const covered = covers.get(key)?.covered ?? [];
      covers.set(key, { entry, covered });
      if (covered.at(-1) !== release && closure.missing.some((holding) => isNamed(entry, holding)))
        covered.push(release);
    }
    closures.push({ ...closure, undeclared: undeclaredOf(closure, holdings, ledger, today) });
  };
  const done = (): Inventory => {
    const entries = [...inputs.byKey].map(([key, { said, neededBy }]): AuditEntry => {
      const { of: _, ...input } = said[0];
      const place = held.get(key);
      return { ...input, ...(place && { held: place }), neededBy };
    });
    const lines = [...covers.values()].map(({ entry, covered }) => ({
      ...entry,
      expired: entry.expires < today,
      covers: covered,
    }));
    const offers = entries.flatMap(offerOf);
    return { entries: entries.sort(byKindAndName), closures, offers, ledger: lines };
  };
  return { take, done };
}

/** How many inputs that are not held, or have no source, no entry of a ledger declares that holds today. */
function undeclaredOf(
  { missing, unpinnedSources }: Pick<Closure, "missing" | "unpinnedSources">,
  holdings: readonly Holding[],
  ledger: readonly LedgerEntry[],
  today: string,
): number {
  if (ledger.length === 0) return missing.length + unpinnedSources;
  const valid = ledger.filter(({ expires }) => expires >= today);
  const isDeclared = (input: Pick<Holding, "kind" | "name">): boolean => valid.some((entry) => isNamed(entry, input));
  const unpinned = holdings.filter(
    ({ lacksSource, name }) => lacksSource && !isDeclared({ kind: "package-source", name }),
  );
  return missing.filter((input) => !isDeclared(input)).length + unpinned.length;
}

function isNamed({ input, names }: LedgerEntry, { kind, name }: Pick<Holding, "kind" | "name">): boolean {
  return kind === input && names.includes(name);
}

const partOfKind: Readonly<Record<Exclude<HoldingKind, "image" | "index">, ClosurePart["part"]>> = {
  recipe: "recipe",
  commit: "sources",
  "source-file": "sources",
  package: "packages",
  "package-source": "sources of packages",
  tool: "tools named",
};

function closureOf(
  release: string,
  holdings: readonly Holding[],
  held: ReadonlyMap<string, Held>,
): Omit<Closure, "undeclared"> {
  const counts = new Map<ClosurePart["part"], { held: number; all: number }>();
  const count = (part: ClosurePart["part"], isHeld: boolean): void => {
    const known = counts.get(part) ?? { held: 0, all: 0 };
    counts.set(part, { held: known.held + Number(isHeld), all: known.all + 1 });
  };
  const missing: Holding[] = [];
  let unpinnedSources = 0;
  const seen = new Set<string>();
  for (const holding of holdings) {
    const key = holdingKey(holding);
    if (seen.has(key)) continue;
    seen.add(key);
    const { kind, of } = holding;
    // a tool is named by its version; to hold it is the machine's business
    const isHeld = kind === "tool" || held.has(key);
    if (!isHeld) missing.push(holding);
    if (kind === "image" || kind === "index") count(of.endsWith("upstream") ? "upstream" : "toolchains", isHeld);
    else count(partOfKind[kind], isHeld);
    // a number that left out what nothing pins would be a better one than is true
    if (!holding.lacksSource) continue;
    unpinnedSources += 1;
    count("sources of packages", false);
  }
  if (!counts.has("tools named")) count("tools named", false);
  const parts = [...counts].map(([part, numbers]) => ({ part, ...numbers }));
  const sum = (of: (part: ClosurePart) => number): number => parts.reduce((total, part) => total + of(part), 0);
  const percent = Math.floor((sum((part) => part.held) / sum((part) => part.all)) * 100);
  return { release, percent, parts, missing, unpinnedSources };
}

/** A source package of which the mirror's indexes know nothing has no digest. */
function isPinned({ kind, digest }: Holding): boolean {
  return kind !== "package-source" || digest !== undefined;
}

/** Of a source package, all whose files are entries of their own, the .dsc stands for the whole. */
function offerOf({ kind, name, version, licence, commit, path, held, neededBy }: AuditEntry): SourceOffer[] {
  const isSource = kind === "commit" || (kind === "package-source" && (path === undefined || path.endsWith(".dsc")));
  if (!isSource || licence === undefined || !copyleft.test(licence)) return [];
  const place = held && { offered: held.where };
  return [{ source: name, version, licence, ...(commit !== undefined && { commit }), ...place, neededBy }];
}

function byKindAndName(a: AuditEntry, b: AuditEntry): number {
  for (const field of ["kind", "name", "version"] as const)
    if (a[field] !== b[field]) return a[field] < b[field] ? -1 : 1;
  return 0;
}
