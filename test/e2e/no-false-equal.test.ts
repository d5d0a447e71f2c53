import fc from "fast-check";
import { beforeEach, expect, test } from "vitest";
import { compareImages } from "../../src/compare/compare-images.ts";
import type { Level } from "../../src/compare/types.ts";
import type { OciLayout } from "../../src/oci/layout.ts";
import type { Descriptor } from "../../src/oci/types.ts";
import { filesOfPackages } from "../support/debian-files.ts";
import { testLayout, writeImage, writeIndex } from "../support/images.ts";
import { type Change, equivalences, isStronger, mutations, type Specimen, weaker } from "../support/mutations.ts";

/** How many pairs are compared: few by default, many in a long run. */
const pairs = Number(process.env["REFOUNDRY_PAIRS"] ?? 240);
/** Pairs that share a layout, so that the disk does not fill in a long run. */
const pairsInLayout = 200;

let base: Specimen | undefined;
let layout: OciLayout;
let used = 0;

beforeEach(async () => {
  layout = await testLayout();
  if (base) return;
  // static and dynamic programs, links, compressed documents, archives, Python, Java
  const files = await filesOfPackages("trixie", ["tini", "netbase", "python3-six", "libcommons-cli-java", "hostname"]);
  const half = Math.floor(files.length / 2);
  base = {
    layers: [files.slice(0, half), files.slice(half)],
    config: { Env: ["PATH=/usr/bin", "LANG=C.UTF-8"], Entrypoint: ["/usr/bin/tini", "--"], Cmd: ["sh"] },
    top: { created: "2026-09-12T00:00:00Z" },
    compression: "none",
    annotations: {},
  };
});

async function write(specimen: Specimen): Promise<Descriptor> {
  return writeImage(layout, specimen);
}

function theBase(): Specimen {
  if (!base) throw new Error("the base was not made");
  return base;
}

async function levelOf(changed: Specimen): Promise<Level> {
  used += 1;
  if (used % pairsInLayout === 0) layout = await testLayout();
  const [left, right] = [await write(theBase()), await write(changed)];
  const { level } = await compareImages({ reader: layout, descriptor: left }, { reader: layout, descriptor: right });
  return level;
}

/** Applies changes one after another; where one finds no place it does nothing. */
function changed(changes: readonly (readonly [Change, number])[]): {
  readonly specimen: Specimen;
  readonly level: Level;
} {
  let specimen = theBase();
  let level: Level = "manifest";
  for (const [change, seed] of changes) {
    const next = change.apply(specimen, seed);
    if (!next) continue;
    specimen = next;
    level = weaker(level, change.level);
  }
  return { specimen, level };
}

const seed = fc.nat({ max: 1_000_000 });
const anyOf = (changes: readonly Change[]) => fc.tuple(fc.constantFrom(...changes), seed);

test("the base holds what the changes need", () => {
  for (const change of [...mutations, ...equivalences]) expect(change.apply(theBase(), 0), change.name).toBeDefined();
});

test("nothing that is another image is called more equal than it is, whatever else was changed beside it", async () => {
  await fc.assert(
    fc.asyncProperty(anyOf(mutations), fc.array(anyOf(equivalences), { maxLength: 3 }), async (mutation, noise) => {
      const { specimen, level } = changed([mutation, ...noise]);
      const found = await levelOf(specimen);
      expect(isStronger(found, level), `${found} where at most ${level} is true`).toBe(false);
    }),
    { numRuns: Math.ceil((pairs * 2) / 3), seed: 20261123 },
  );
}, 3_600_000);

test("what is equal by construction is found equal, at the level that is true", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(anyOf(equivalences), { minLength: 1, maxLength: 4, selector: ([{ name }]) => name }),
      async (noise) => {
        const { specimen, level } = changed(noise);
        expect(await levelOf(specimen)).toBe(level);
      },
    ),
    { numRuns: Math.ceil(pairs / 3), seed: 20261124 },
  );
}, 3_600_000);

test("platforms that were swapped in an index are no match", async () => {
  const amd64 = await write({ ...theBase(), top: { architecture: "amd64" } });
  const arm64 = await write({ ...theBase(), layers: theBase().layers.slice(1), top: { architecture: "arm64" } });
  const as = (descriptor: Descriptor, architecture: string): Descriptor => ({
    ...descriptor,
    platform: { os: "linux", architecture },
  });
  const right = await writeIndex(layout, [as(amd64, "amd64"), as(arm64, "arm64")]);
  const swapped = await writeIndex(layout, [as(amd64, "arm64"), as(arm64, "amd64")]);
  const comparison = await compareImages(
    { reader: layout, descriptor: right },
    { reader: layout, descriptor: swapped },
  );
  expect(comparison.level).toBe("different");
  expect(comparison.platforms.map(({ level }) => level)).toEqual(["different", "different"]);
});
