import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Attributes,
  createAttributeTable,
  type EntryFacts,
  type FlatEntry,
  type LayerEntry,
} from "../../../src/compare/entry.ts";
import { flatEntry, flattenLayers, visitTree } from "../../../src/compare/flatten.ts";

const plain: Attributes = { type: "file", mode: 0o644, uid: "0", gid: "0", xattrs: "", device: "" };
const entry = (path: string, attributes: Partial<Attributes>, more: Partial<LayerEntry> = {}): LayerEntry => ({
  path,
  attributes: { ...plain, ...attributes },
  linkName: "",
  content: "",
  size: 0,
  ...more,
});
const file = (path: string, content = path): LayerEntry => entry(path, {}, { content });
const folder = (path: string, mode = 0o700): LayerEntry => entry(path, { type: "directory", mode });
const soft = (path: string, linkName: string): LayerEntry => entry(path, { type: "symlink" }, { linkName });
const hard = (path: string, linkName: string): LayerEntry => entry(path, { type: "hardlink" }, { linkName });

function flatten(layers: readonly (readonly LayerEntry[])[]): Map<string, FlatEntry> {
  const tree = flattenLayers(layers, createAttributeTable());
  const found = new Map<string, FlatEntry>();
  visitTree(tree.root, (path, node) => void found.set(path, flatEntry(node)));
  return found;
}

function pathsOf(...layers: readonly (readonly LayerEntry[])[]): string[] {
  return [...flatten(layers).keys()].filter((path) => path !== "").toSorted();
}

describe("whiteouts", () => {
  test("of a name with a star in it takes away that name alone", () => {
    expect(pathsOf([file("d/a"), file("d/*")], [file("d/.wh.*")])).toEqual(["d", "d/a"]);
  });

  test("take away whole folders, and nothing of their own layer", () => {
    const lower = [file("d/e/a"), file("d/b"), file("de")];
    expect(pathsOf(lower, [file(".wh.d")])).toEqual(["de"]);
    expect(pathsOf(lower, [file("d/new"), file(".wh.d")])).toEqual(["d", "d/new", "de"]);
    expect(pathsOf(lower, [file(".wh..wh..opq"), file("d/b")])).toEqual(["d", "d/b"]);
  });

  test("are found through links of lower layers", () => {
    expect(pathsOf([file("real/a"), soft("l", "real")], [file("l/.wh.a")])).toEqual(["l", "real"]);
  });
});

describe("links on the way to a path", () => {
  test("are followed inside the image, upwards no further than its root", () => {
    const lower = [folder("a/b"), soft("up", "../../../a"), soft("abs", "/up/b")];
    expect(pathsOf(lower, [file("abs/x")])).toContain("a/b/x");
    expect(pathsOf([soft("l", "new/place")], [file("l/x")])).toContain("new/place/x");
  });

  test("in a circle, and files on the way, are refused", () => {
    expect(() => flatten([[soft("a", "b"), soft("b", "a"), file("a/x")]])).toThrow(/in a circle/);
    expect(() => flatten([[file("a"), file("a/x")]])).toThrow(/no folder/);
    expect(() => flatten([[file("")]])).toThrow(/root/);
  });
});

describe("hard links", () => {
  test("keep the file of the time when they are made", () => {
    const flat = flatten([[file("a", "1"), hard("b", "a"), file("a", "2")]]);
    expect([flat.get("a")?.facts.content, flat.get("b")?.facts.content, flat.get("b")?.group]).toEqual(["2", "1", ""]);
  });

  test("keep what a whiteout of their layer hides", () => {
    expect(flatten([[file("a", "1")], [hard("b", "a"), file(".wh.a")]]).get("b")?.facts.content).toBe("1");
  });

  test("tell what their own header says otherwise", () => {
    const setuid = entry("b", { type: "hardlink", mode: 0o4755 }, { linkName: "a" });
    expect(flatten([[file("a"), setuid]]).get("b")?.linkHeader).toContain(String(0o4755));
    expect(flatten([[file("a"), hard("b", "a")]]).get("b")?.linkHeader).toBe("");
  });

  test("to nothing, or to a folder, are refused", () => {
    expect(() => flatten([[hard("b", "a")]])).toThrow(/not in the image/);
    expect(() => flatten([[folder("a"), hard("b", "a")]])).toThrow(/not in the image/);
  });
});

test("a deep and wide tree with many whiteouts takes no time to speak of", () => {
  const lower = Array.from({ length: 40_000 }, (_, index) => file(`d${index % 200}/f${index}`));
  const upper = lower.map(({ path }) => file(path.replace("/", "/.wh.")));
  const deep = Array.from({ length: 50 }, (_, index) => file(`${"n/".repeat(2000)}f${index}`));
  const startedAt = performance.now();
  expect(pathsOf(lower, upper, deep)).toHaveLength(200 + 2000 + 50);
  expect(performance.now() - startedAt).toBeLessThan(5000);
});

const paths = fc.constantFrom("a", "b", "d", "d/x", "d/e", "d/e/z");
const anyEntry = fc.oneof(
  fc.tuple(paths, fc.constantFrom("1", "2")).map(([path, content]) => file(path, content)),
  fc.tuple(paths, fc.constantFrom(0o700, 0o777)).map(([path, mode]) => folder(path, mode)),
  fc.tuple(paths, paths).map(([path, target]) => hard(path, target)),
  paths.map((path) => file(path.replace(/[^/]+$/, ".wh.$&"))),
  fc.constantFrom("", "d/", "d/e/").map((start) => file(`${start}.wh..wh..opq`)),
);

test("flattening is what a plain model of paths gives, refusals included", () => {
  let refused = 0;
  let flattened = 0;
  fc.assert(
    fc.property(fc.array(fc.array(anyEntry, { maxLength: 6 }), { minLength: 1, maxLength: 4 }), (layers) => {
      const expected = model(layers);
      if (expected === undefined) {
        refused += 1;
        expect(() => flatten(layers)).toThrow(/./);
        return;
      }
      flattened += 1;
      const flat = [...flatten(layers)].filter(([path]) => path !== "");
      expect(flat.map(([path, { facts, group }]) => describeEntry(path, facts, group)).toSorted()).toEqual(expected);
    }),
    { numRuns: 3000, seed: 11 },
  );
  expect(Math.min(refused, flattened)).toBeGreaterThan(300);
});

function describeEntry(path: string, { attributes, content }: EntryFacts, group: string): string {
  return `${path} ${attributes.type} ${attributes.mode} ${content} ${group}`;
}

interface ModelNode {
  readonly facts: EntryFacts;
  readonly id: number;
}

/** Paths in one flat table, every rule as a scan over it; nothing when the layers cannot be unpacked. */
function model(layers: readonly (readonly LayerEntry[])[]): string[] | undefined {
  const table = new Map<string, ModelNode>();
  let ids = 0;
  const parents = (path: string): string[] =>
    path
      .split("/")
      .slice(0, -1)
      .map((_, index, names) =>
        path
          .split("/")
          .slice(0, names.length - index)
          .join("/"),
      )
      .toReversed();
  const clear = (test: (path: string) => boolean): void => {
    for (const path of [...table.keys()]) if (test(path)) table.delete(path);
  };
  const put = (path: string, node: ModelNode): boolean => {
    for (const parent of parents(path)) {
      const there = table.get(parent);
      if (there && there.facts.attributes.type !== "directory") return false;
      if (!there) table.set(parent, { facts: folder(parent, 0o755), id: (ids += 1) });
    }
    const bothFolders =
      node.facts.attributes.type === "directory" && table.get(path)?.facts.attributes.type === "directory";
    if (!bothFolders) clear((other) => other === path || other.startsWith(`${path}/`));
    table.set(path, node);
    return true;
  };
  const linkable = (node: ModelNode | undefined): node is ModelNode =>
    node !== undefined && node.facts.attributes.type !== "directory";
  for (const layer of layers) {
    const lower = new Map(table);
    for (const { path } of layer) {
      const name = path.split("/").at(-1) ?? "";
      const start = path.slice(0, path.length - name.length);
      if (name === ".wh..wh..opq") clear((other) => other.startsWith(start));
      else if (name.startsWith(".wh.")) clear((other) => `${other}/`.startsWith(`${start}${name.slice(4)}/`));
    }
    const late: LayerEntry[] = [];
    for (const entry of layer) {
      if (/(^|\/)\.wh\./.test(entry.path)) continue;
      if (entry.attributes.type === "hardlink") {
        const target = table.get(entry.linkName);
        if (!linkable(target)) late.push(entry);
        else if (!put(entry.path, target)) return undefined;
      } else if (!put(entry.path, { facts: entry, id: (ids += 1) })) return undefined;
    }
    for (const entry of late) {
      const target = lower.get(entry.linkName) ?? table.get(entry.linkName);
      if (!linkable(target) || !put(entry.path, target)) return undefined;
    }
  }
  return [...table]
    .map(([path, { facts, id }]) => {
      const group = [...table]
        .filter(([, other]) => other.id === id)
        .map(([other]) => other)
        .toSorted();
      return describeEntry(path, facts, group.length > 1 ? (group[0] ?? "") : "");
    })
    .toSorted();
}
