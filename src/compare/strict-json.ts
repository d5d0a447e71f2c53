import { infrastructureError } from "../errors.ts";
import type { Json } from "../oci/types.ts";

const maxDepth = 100;
const token = /"[^"\\]*(?:\\[\s\S][^"\\]*)*"|[{}[\]:,]|[^\s{}[\]:,"]+/g;
/** Objects whose keys are data; the keys of all others name fields, whose case Go does not mind. */
const dataObjects = new Set(["labels", "volumes", "exposedports", "annotations"]);

interface OpenObject {
  /** The key under which the object stands, folded. */
  readonly name: string;
  readonly keys: Set<string>;
}

/**
 * Parses JSON, and refuses what readers read differently: a key given twice (here the
 * last one wins, Go merges both), keys of fields that differ only in case (Go takes them for one
 * field), whole numbers beyond 2^53. `what` names the document in the error.
 */
export function parseStrictJson(text: string, what: string): Json {
  let parsed: Json;
  try {
    parsed = JSON.parse(text) as Json;
  } catch (cause) {
    throw infrastructureError(`${what} is not JSON`, { cause });
  }
  refuseAmbiguity(text, what);
  return parsed;
}

function refuseAmbiguity(text: string, what: string): void {
  const open: (OpenObject | "array")[] = [];
  let last = "";
  let key = "";
  for (const [part] of text.matchAll(token)) {
    const container = open.at(-1);
    if (part === "{" || part === "[") {
      if (open.length >= maxDepth) throw infrastructureError(`${what} is nested more than ${maxDepth} deep`);
      open.push(part === "[" ? "array" : { name: key, keys: new Set() });
      key = "";
    } else if (part === "}" || part === "]") open.pop();
    else if (part === ":" && typeof container === "object") {
      const name = String(JSON.parse(last));
      key = folded(name);
      const compared = dataObjects.has(container.name) ? name : key;
      if (container.keys.has(compared))
        throw infrastructureError(
          `${what} has the key ${last.slice(0, 100)} twice, and readers disagree about which counts`,
        );
      container.keys.add(compared);
    } else if (isLossyNumber(part))
      throw infrastructureError(`${what} has the number ${part.slice(0, 40)}, which is too large to compare`);
    last = part;
  }
}

function isLossyNumber(part: string): boolean {
  if (!/^-?\d/.test(part)) return false;
  return /^-?\d+$/.test(part) ? !Number.isSafeInteger(Number(part)) : !Number.isFinite(Number(part));
}

/** As Go's encoding/json folds field names, the long s and the Kelvin sign included. */
function folded(name: string): string {
  return name.toUpperCase().toLowerCase();
}
