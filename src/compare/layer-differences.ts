import { benign, type BenignDifference } from "./benign.ts";
import { structureClasses } from "./classes/structure.ts";
import { fingerprintNames } from "./fingerprints.ts";
import { isWhiteout } from "./entry.ts";
import { type LayerEntries, sameEntries } from "./layer-entries.ts";

/** How two lists of layers compare, beside the trees that they make. */
export interface LayerComparison {
  /** Whether there are as many layers and each has the entries of its counterpart. */
  readonly sameEntries: boolean;
  readonly differences: readonly BenignDifference[];
}

const details: ReadonlyMap<string, string> = new Map(structureClasses.map(({ name, meaning }) => [name, meaning]));

/** Compares layers one by one: what differs without making other entries is told. */
export function compareLayers(left: readonly LayerEntries[], right: readonly LayerEntries[]): LayerComparison {
  const told = new Map<string, string[]>();
  const tell = (name: string, layer: number): void =>
    void told.set(name, [...(told.get(name) ?? []), `layer ${layer}`]);
  let areSame = left.length === right.length;
  for (const [position, a] of left.entries()) {
    const b = right[position];
    if (!b || a === b) continue;
    if (!sameEntries(a.entries, b.entries)) {
      areSame = false;
      continue;
    }
    const before = told.size;
    for (const name of fingerprintNames) if (a.fingerprints[name] !== b.fingerprints[name]) tell(name, position);
    if (a.entries.length !== b.entries.length) tell("entry-duplicates", position);
    if (told.size === before && !isTold(told, position)) tell("tar-headers", position);
  }
  const differences = [...told]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, layers]) => ({
      ...benign(name, "layers", details.get(name) ?? name),
      count: layers.length,
      paths: layers.slice(0, 100),
    }));
  return { sameEntries: areSame, differences };
}

function isTold(told: ReadonlyMap<string, readonly string[]>, layer: number): boolean {
  return [...told.values()].some((layers) => layers.includes(`layer ${layer}`));
}

/** How layers differ that make the same tree. */
export function describeSplit(left: readonly LayerEntries[], right: readonly LayerEntries[]): BenignDifference {
  const [a, b] = [left.filter(hasEntries), right.filter(hasEntries)];
  const pairwise = (x: readonly LayerEntries[], y: readonly LayerEntries[], strip: boolean): boolean =>
    x.length === y.length &&
    x.every((layer, position) => {
      const other = y[position];
      return other !== undefined && sameEntries(stripped(layer, strip), stripped(other, strip));
    });
  const counts = `${left.length} layers and ${right.length}, the same tree`;
  if (pairwise(a, b, false)) return benign("empty-layers", "layers", `layers without entries on one side; ${counts}`);
  if (pairwise(a, b, true))
    return benign(
      "whiteout-form",
      "layers",
      "other whiteouts (opaque or one by one, or of what is not there), the same tree",
    );
  return benign("layer-split", "layers", counts);
}

function hasEntries({ entries }: LayerEntries): boolean {
  return entries.length > 0;
}

function stripped({ entries }: LayerEntries, strip: boolean): LayerEntries["entries"] {
  return strip ? entries.filter(({ path }) => !isWhiteout(path)) : entries;
}
