import { holdingKey } from "../escrow/release-inputs.ts";
import type { Holding } from "../escrow/types.ts";

/** An input of any release, as each that needs it says, with all that need it. */
export interface KnownInput {
  /** What was said of it first, then what else. */
  readonly said: [Holding, ...Holding[]];
  /** `RECIPE@VERSION`. */
  readonly neededBy: string[];
}

/** The inputs of many releases, each once. */
export interface KnownInputs {
  /** By {@link holdingKey}, in the order in which they came. */
  readonly byKey: ReadonlyMap<string, KnownInput>;
  /** Adds an input that a release needs; gives what is kept of it, which is the same for all that say the same. */
  readonly add: (holding: Holding, release: string) => Holding;
}

/** An empty collection: thousands of releases need the same packages, and these are held once. */
export function collectInputs(): KnownInputs {
  const byKey = new Map<string, KnownInput>();
  const add = (holding: Holding, release: string): Holding => {
    const known = byKey.get(holdingKey(holding));
    const same = known?.said.find((each) => isSame(each, holding));
    if (known && known.neededBy.at(-1) !== release) known.neededBy.push(release);
    if (same) return same;
    const copy = ownCopy(holding);
    if (known) known.said.push(copy);
    else byKey.set(holdingKey(copy), { said: [copy], neededBy: [release] });
    return copy;
  };
  return { byKey, add };
}

/** A text that was cut out of a file holds the whole file's text; what is parsed anew is a text of its own. */
function ownCopy(holding: Holding): Holding {
  return JSON.parse(JSON.stringify(holding)) as Holding;
}

function isSame(a: Holding, b: Holding): boolean {
  const names = Object.keys(a) as (keyof Holding)[];
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => (name === "origins" ? isSameList(a.origins, b.origins) : a[name] === b[name]))
  );
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}
