import { contentClasses, entryClasses } from "../classes/catalogue.ts";
import { isHarmless } from "../classes/entry-class.ts";
import { hardlinkCopy } from "../classes/tree/hardlink-copy.ts";
import type { EntryFacts } from "../entry.ts";
import type { Finding } from "../findings.ts";
import { type Facet, facetsOf, type Residual } from "../tree-residuals.ts";
import type { PackageDrift } from "../types.ts";
import { type ContentStore, type ExplainedSide, openContentStore } from "./contents.ts";
import { type DriftReading, readDrift } from "./drift.ts";
import { explainContents, normalForm } from "./normal-form.ts";

/** What came of explaining. */
export interface Explanation {
  readonly findings: readonly Finding[];
  readonly packages: readonly PackageDrift[];
  readonly warnings: readonly string[];
}

/** What happens to findings while contents are at hand. */
export interface ExplanationHooks {
  /** Has the last word on each finding. */
  judge(findings: readonly Finding[]): Finding[];
  /** Looks at findings and the contents that were read. */
  readonly look?: (findings: readonly Finding[], store: ContentStore) => Promise<void>;
}

/** Files larger than this are not looked into, in bytes. */
const maxFileBytes = 64 * 1024 ** 2;
/** All the files that are looked into, both sides together, in bytes. */
const maxTotalBytes = 8 * 1024 ** 3;
/** So much is looked into before the rest is, in bytes of both sides. */
const probeBytes = 64 * 1024 ** 2;
/** When so many files of the first bytes have no explanation, the rest is not looked into. */
const hopeless = 100;
/** Where files that only one side has may be caches and logs that count as nothing. */
const volatileFolders = /^(?:etc|root|run|tmp|var)\//;

/**
 * Says of every residual what explains it: a class with the proof that both sides are
 * the same once normalised, or a package of another version. What nothing explains stays
 * unexplained until somebody answers for it. Findings come in the order of the residuals.
 */
export async function explainResiduals(
  residuals: readonly Residual[],
  left: ExplainedSide,
  right: ExplainedSide,
  hooks: ExplanationHooks,
  signal: AbortSignal,
): Promise<Explanation> {
  const store = await openContentStore({ fileBytes: maxFileBytes, totalBytes: maxTotalBytes });
  try {
    const drift = await readDrift(residuals, left, right, store, signal);
    const explained = await explainFiles(residuals, drift, left, right, store, signal);
    const vanished = foldersThatVanish(residuals, explained.files);
    const findings = hooks.judge(
      residuals.flatMap((residual) =>
        facetsOf(residual).flatMap((facet) => findingsOf(residual, facet, explained.files, vanished, drift)),
      ),
    );
    await hooks.look?.(findings, store);
    return { findings, packages: drift.packages, warnings: [...explained.warnings].toSorted() };
  } finally {
    await store.close();
  }
}

/** By path: the classes that explain a file's content or its presence, or why it was not looked into. */
type ExplainedFiles = ReadonlyMap<string, readonly string[] | "not looked into">;

function isExplained(found: readonly string[] | "not looked into" | undefined): found is readonly string[] {
  return found !== undefined && found !== "not looked into" && found.length > 0;
}

async function explainFiles(
  residuals: readonly Residual[],
  drift: DriftReading,
  left: ExplainedSide,
  right: ExplainedSide,
  store: ContentStore,
  signal?: AbortSignal,
): Promise<{ readonly files: ExplainedFiles; readonly warnings: ReadonlySet<string> }> {
  const files = new Map<string, readonly string[] | "not looked into">();
  const warnings = new Set<string>();
  const open = residuals.filter((residual) => mayBeExplained(residual) && !drift.covers(residual));
  const { first, rest } = probe(inArchiveOrder(open, left));
  let unexplained = 0;
  for (const part of [first, rest]) {
    if (unexplained >= hopeless) {
      for (const { path } of part) files.set(path, "not looked into");
      continue;
    }
    await store.gather([left.layers, right.layers], part.flatMap(factsOf), signal);
    for (const residual of part) {
      signal?.throwIfAborted();
      const found = await explainFile(residual, store);
      if (!found) unexplained += 1;
      files.set(residual.path, found?.classes ?? []);
      for (const name of found?.classes ?? []) {
        const warning = contentClasses.find((known) => known.name === name)?.warning;
        if (warning !== undefined) warnings.add(`/${residual.path}: ${warning}`);
      }
    }
  }
  return { files, warnings };
}

/** Whether the content is all that counts: files on both sides, or a plain one where volatile files lie. */
function mayBeExplained({ path, left, right }: Residual): boolean {
  const [a, b] = [left?.facts, right?.facts];
  if (a && b) return a.attributes.type === "file" && b.attributes.type === "file" && a.content !== b.content;
  const only = a ?? b;
  return only?.attributes.type === "file" && isHarmless(only.attributes) && volatileFolders.test(path);
}

function factsOf({ left, right }: Residual): EntryFacts[] {
  return [...(left ? [left.facts] : []), ...(right ? [right.facts] : [])];
}

/** In the order in which the left side's layers have the files: what is read first can be looked into first. */
function inArchiveOrder(residuals: readonly Residual[], left: ExplainedSide): Residual[] {
  const order = new Map<EntryFacts, number>();
  for (const { entries } of left.layers.layers) for (const entry of entries) order.set(entry, order.size);
  const position = ({ left: side }: Residual): number => (side && order.get(side.facts)) ?? order.size;
  return residuals.toSorted((a, b) => position(a) - position(b) || (a.path < b.path ? -1 : 1));
}

function probe(residuals: readonly Residual[]): { first: readonly Residual[]; rest: readonly Residual[] } {
  let bytes = 0;
  const end = residuals.findIndex((residual) => {
    bytes += factsOf(residual).reduce((sum, { size }) => sum + Math.min(size, maxFileBytes), 0);
    return bytes > probeBytes;
  });
  return end === -1
    ? { first: residuals, rest: [] }
    : { first: residuals.slice(0, end + 1), rest: residuals.slice(end + 1) };
}

async function explainFile(
  { path, left, right }: Residual,
  store: ContentStore,
): Promise<{ readonly classes: readonly string[] } | undefined> {
  const a = left && (await store.read(left.facts));
  const b = right && (await store.read(right.facts));
  if (left && right) {
    const classes = a && b && (await explainContents(path, a, b, contentClasses));
    return classes && { classes };
  }
  const bytes = a ?? b;
  const form = bytes && (await normalForm({ path, bytes }, contentClasses));
  return form?.absentBy === undefined ? undefined : { classes: [form.absentBy] };
}

/** Folders and empty files of one side that count as nothing, by path with the class; deepest first. */
function foldersThatVanish(residuals: readonly Residual[], files: ExplainedFiles): ReadonlyMap<string, string> {
  const vanished = new Map<string, string>();
  const kept = new Set<string>();
  for (const { path, left, right } of residuals.toReversed()) {
    if (left && right) continue;
    const entry = left ?? right;
    const isGone = entry && !kept.has(path) && entryClasses.find((found) => found.vanishes(path, entry));
    if (isGone) vanished.set(path, isGone.name);
    else if (!isExplained(files.get(path))) kept.add(path.slice(0, Math.max(0, path.lastIndexOf("/"))));
  }
  return vanished;
}

function findingsOf(
  residual: Residual,
  facet: Facet,
  files: ExplainedFiles,
  vanished: ReadonlyMap<string, string>,
  drift: DriftReading,
): Finding[] {
  const { path, left, right } = residual;
  const at = { scope: "filesystem", path: `/${path}` } as const;
  const explained = (name: string, detail: string): Finding => ({
    ...at,
    class: name,
    detail,
    weight: "explained",
    proof: "normalised-equal",
  });
  if (facet.class === hardlinkCopy.name) return [explained(hardlinkCopy.name, "the same files, linked otherwise")];
  const isPresence = !left || !right;
  if (isPresence || facet.class === "file-content") {
    const classes = files.get(path);
    const gone = vanished.get(path);
    if (isPresence && gone !== undefined) return [explained(gone, facet.detail)];
    if (isExplained(classes))
      return classes.map((name) => explained(name, isPresence ? facet.detail : "other content"));
  }
  if (isPresence || facet.class === "file-content" || facet.class === "link-target") {
    const drifting = drift.ownerOf(residual);
    if (drifting)
      return [
        { ...at, class: facet.class, detail: "belongs to packages of other versions", weight: "drift", proof: "drift" },
      ];
  }
  const unlooked = files.get(path) === "not looked into" && {
    note: "not looked into, since too much else has no explanation",
  };
  return [{ ...at, class: facet.class, detail: facet.detail, weight: "unexplained", ...unlooked }];
}
