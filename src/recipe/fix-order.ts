import { isMap, isScalar, isSeq, type Pair, parseDocument } from "yaml";
import type { z } from "zod";
import type { FixChange, FixPass } from "./fix-types.ts";
import { platformLists, styledSchemas } from "./fix-meaning.ts";
import { permuteBlock, permuteFlow, type Span } from "./fix-permute.ts";
import { changeAt } from "./fix-text.ts";
import { pathText } from "./issues.ts";
import { byCodeUnit, quoted } from "./words.ts";
import { type DocumentPath, parseYaml } from "./yaml-tree.ts";

type Schema = z.core.$ZodType;
const yamlOptions = { version: "1.2", schema: "core", logLevel: "error" } as const;
const maxRounds = 200;

/** Sorts a recipe's lists of platforms. */
export const sortPlatforms: FixPass = (text, kind) => {
  if (kind !== "recipe") return { text, changes: [] };
  let current = text;
  const changes: FixChange[] = [];
  // the whole text is read only where it may have more lists than the usual ones
  const data = /versions|waivers|varies/.test(text) ? parseYaml(text, "").tree?.data : undefined;
  for (const path of platformLists(data)) {
    const list = parseDocument(current, yamlOptions).getIn(path, true);
    if (!isSeq(list)) continue;
    const items = list.items.flatMap((item) =>
      isScalar(item) && typeof item.value === "string" && item.range
        ? [{ name: item.value, start: item.range[0], contentEnd: item.range[1], end: item.range[2] }]
        : [],
    );
    const sorted = items.toSorted((a, b) => byCodeUnit(a.name, b.name));
    if (items.length !== list.items.length || items.every((item, index) => item === sorted[index])) continue;
    const next = (list.flow ? permuteFlow : permuteBlock)(current, items, orderOf(items, sorted));
    if (next === undefined) continue;
    const message = `${pathText(path)} is not sorted`;
    changes.push(changeAt(current, list.range?.[0] ?? 0, "platform-order", message));
    current = next;
  }
  return { text: current, changes };
};

/** Puts the keys of what people write into the order of the schema. What the tool writes is in order already. */
export const reorderKeys: FixPass = (text, kind) => {
  if (kind === "release" || kind === "lock") return { text, changes: [] };
  let current = text;
  const changes: FixChange[] = [];
  const given = new Set<string>();
  for (let round = 0; round < maxRounds; round += 1) {
    const found = findUnordered(parseDocument(current, yamlOptions).contents, styledSchemas[kind], [], given);
    if (!found) break;
    given.add(pathText(found.path));
    const next = (found.flow ? permuteFlow : permuteBlock)(current, found.spans, found.order);
    if (next === undefined) continue;
    const where = found.path.length === 0 ? "" : `${pathText(found.path)}: `;
    const message = `${where}the key ${quoted(found.key)} stands after ${quoted(found.after)}`;
    // a line of the text as it was before any mapping in it was turned round
    const line = changes.length === 0 ? changeAt(current, found.offset, "key-order", message) : undefined;
    changes.push(line ?? changeAt(text, Math.max(text.search(keyPattern(found.key)), 0), "key-order", message));
    current = next;
  }
  return { text: current, changes };
};

/** Whether data has its keys in the order of the schema and its platforms sorted: the quick look that spares most files the thorough one. */
export function isInOrder(data: unknown, schema: Schema): boolean {
  if (Array.isArray(data)) {
    const element = elementOf(schema);
    return element === undefined || data.every((item) => isInOrder(item, element));
  }
  if (typeof data !== "object" || data === null) return true;
  const entries = Object.entries(data);
  const shape = shapeFor(schema, Object.keys(data));
  if (!shape) return true;
  let last = -1;
  for (const [key, value] of entries) {
    const position = shape.keys.indexOf(key);
    if (position < last || !isInOrder(value, shape.schemaOf(key))) return false;
    last = position;
  }
  return true;
}

interface Unordered {
  readonly path: DocumentPath;
  readonly flow: boolean;
  readonly spans: readonly Span[];
  readonly order: readonly number[];
  /** A key that is too far down, where it is, and the one above it that comes later. */
  readonly key: string;
  readonly after: string;
  readonly offset: number;
}

function findUnordered(
  node: unknown,
  schema: Schema,
  path: DocumentPath,
  given: ReadonlySet<string>,
): Unordered | undefined {
  if (isSeq(node)) {
    const element = elementOf(schema);
    if (!element) return undefined;
    for (const [index, item] of node.items.entries()) {
      const found = findUnordered(item, element, [...path, index], given);
      if (found) return found;
    }
    return undefined;
  }
  if (!isMap(node)) return undefined;
  const names = node.items.map(({ key }) => (isScalar(key) ? String(key.value) : ""));
  const shape = shapeFor(schema, names);
  if (!shape || new Set(names).size < names.length) return undefined;
  const positions = names.map((name) => shape.keys.indexOf(name));
  const order = [...names.keys()].toSorted((a, b) => (positions[a] ?? 0) - (positions[b] ?? 0));
  const low = positions.findIndex((position, index) => index > 0 && position < (positions[index - 1] ?? 0));
  const spans = node.items.map(spanOf);
  if (low > 0 && !given.has(pathText(path)) && spans.every((span) => span !== undefined)) {
    const [key = "", after = "", offset = 0] = [names[low], names[low - 1], spans[low]?.start];
    return { path, flow: node.flow === true, spans, order, key, after, offset };
  }
  for (const [index, pair] of node.items.entries()) {
    const name = names[index] ?? "";
    const found = findUnordered(pair.value, shape.schemaOf(name), [...path, name], given);
    if (found) return found;
  }
  return undefined;
}

function spanOf({ key, value }: Pair): Span | undefined {
  const at = isScalar(key) ? key.range : undefined;
  if (!at) return undefined;
  const of = isScalar(value) || isMap(value) || isSeq(value) ? value.range : undefined;
  return { start: at[0], contentEnd: Math.max(at[1], of?.[1] ?? 0), end: Math.max(at[2], of?.[2] ?? 0) };
}

function orderOf<T>(items: readonly T[], sorted: readonly T[]): number[] {
  return sorted.map((item) => items.indexOf(item));
}

function keyPattern(key: string): RegExp {
  return new RegExp(`(?<=^\\s*(- )?|[{,]\\s*)["']?${key.replaceAll(/[^A-Za-z0-9_]/g, "\\$&")}["']?\\s*:`, "m");
}

interface Shape {
  readonly keys: readonly string[];
  schemaOf(key: string): Schema;
}

/** The object schema that has all the keys; undefined for a record, or when keys are unknown. */
function shapeFor(schema: Schema, keys: readonly string[]): Shape | undefined {
  const definition = unwrapped(schema);
  if (definition.type === "union") {
    for (const option of definition.options) {
      const shape = shapeFor(option, keys);
      if (shape) return shape;
    }
    return undefined;
  }
  if (definition.type !== "object" || !keys.every((key) => Object.hasOwn(definition.shape, key))) return undefined;
  return { keys: Object.keys(definition.shape), schemaOf: (key) => definition.shape[key] as Schema };
}

function elementOf(schema: Schema): Schema | undefined {
  const definition = unwrapped(schema);
  return definition.type === "array" ? definition.element : undefined;
}

function unwrapped(schema: Schema): z.core.$ZodTypes["_zod"]["def"] {
  const { _zod: internals } = schema as z.core.$ZodTypes;
  const { def } = internals;
  return def.type === "optional" || def.type === "default" ? unwrapped(def.innerType) : def;
}
