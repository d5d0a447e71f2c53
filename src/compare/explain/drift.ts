import type { EntryFacts } from "../entry.ts";
import { visitTree } from "../flatten.ts";
import { isPackageDatabaseFile, needsForPackages, readPackages } from "../packages/databases.ts";
import { createDriftOwner, packageDrift } from "../packages/drift.ts";
import type { InstalledPackage } from "../packages/types.ts";
import { withoutPackages } from "../packages/without.ts";
import type { Residual } from "../tree-residuals.ts";
import type { PackageDrift } from "../types.ts";
import type { ContentStore, ExplainedSide } from "./contents.ts";

/** What the package databases say of the residuals. */
export interface DriftReading {
  readonly packages: readonly PackageDrift[];
  /** Whether a path's content, presence or link belongs to packages of other versions. */
  ownerOf(residual: Residual): boolean;
  /** Whether a residual is the business of packages of other versions, so that nobody has to look into it. */
  covers(residual: Residual): boolean;
}

const noDrift: DriftReading = { packages: [], ownerOf: () => false, covers: () => false };

/** Reads both sides' package databases where they differ. */
export async function readDrift(
  residuals: readonly Residual[],
  left: ExplainedSide,
  right: ExplainedSide,
  store: ContentStore,
  signal?: AbortSignal,
): Promise<DriftReading> {
  if (!residuals.some(({ path }) => isPackageDatabaseFile(path))) return noDrift;
  const [a, b] = [databaseFiles(left), databaseFiles(right)];
  await store.gather([left.layers, right.layers], [...a.values(), ...b.values()], signal);
  const [before, after] = [await installed(a, store), await installed(b, store)];
  const packages = packageDrift(before, after);
  if (packages.length === 0) return noDrift;
  const owner = createDriftOwner(before, after);
  const databases = await databasesThatDrift(residuals, packages, store);
  const ownerOf = ({ path, left: x, right: y }: Residual): boolean =>
    databases.has(path) || owner.ownerOf(path, { left: x !== undefined, right: y !== undefined }) !== undefined;
  return { packages, ownerOf, covers: ownerOf };
}

/** The files of a tree that a list of its packages is made from. */
function databaseFiles({ tree }: ExplainedSide): Map<string, EntryFacts> {
  const files = new Map<string, EntryFacts>();
  visitTree(tree.root, (path, { facts }) => {
    if (facts.attributes.type === "file" && needsForPackages(path)) files.set(path, facts);
  });
  return files;
}

async function installed(files: ReadonlyMap<string, EntryFacts>, store: ContentStore): Promise<InstalledPackage[]> {
  const contents = new Map<string, Buffer>();
  for (const [path, facts] of files) {
    const bytes = await store.read(facts);
    if (bytes) contents.set(path, bytes);
  }
  return [...readPackages(contents)];
}

/** Database files that are the same but for the records of packages of other versions. */
async function databasesThatDrift(
  residuals: readonly Residual[],
  packages: readonly PackageDrift[],
  store: ContentStore,
): Promise<ReadonlySet<string>> {
  const names = new Set(packages.map(({ name }) => name));
  const found = new Set<string>();
  for (const { path, left, right } of residuals) {
    if (!left || !right || !isPackageDatabaseFile(path)) continue;
    const [a, b] = [await store.read(left.facts), await store.read(right.facts)];
    const rest = a && withoutPackages(path, a, names);
    const other = b && withoutPackages(path, b, names);
    if (rest && other?.equals(rest)) found.add(path);
  }
  return found;
}
