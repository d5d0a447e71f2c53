import { canonicalJson } from "../json.ts";
import type { Digest } from "../oci/digest.ts";
import { type Json, type JsonObject, mediaTypes } from "../oci/types.ts";
import { type Attestation, describeAttestations, readAttestationChildren } from "./attestations.ts";
import { benign } from "./benign.ts";
import { type ImageSource, type IndexChild, type IndexDocument, resolveChildren } from "./resolve.ts";
import type { Difference } from "./types.ts";

/** One side's index, read with what hangs below it. */
interface IndexSide {
  readonly root: IndexDocument;
  readonly nested: readonly IndexDocument[];
  /** Children that are no index by a name that the other side's counterpart has too, in their order. */
  readonly children: ReadonlyMap<string, IndexChild>;
  readonly attestations: readonly Attestation[];
}

/** A descriptor or an index as both sides have it; a side that lacks it has an empty one. */
interface Pair {
  /** For people: `linux/amd64`, `the index`. */
  readonly label: string;
  readonly left: JsonObject;
  readonly right: JsonObject;
  readonly kind: "document" | "image" | "index" | "other";
}

const examples = 100;
const mediaTypeSets: readonly ReadonlySet<Json | undefined>[] = [
  new Set([mediaTypes.index, mediaTypes.dockerIndex, undefined]),
  new Set([mediaTypes.manifest, mediaTypes.dockerManifest]),
];
const selectingKeys: ReadonlySet<string> = new Set(["os", "architecture", "variant", "os.version"]);
/** Keys of which no difference of other fields speaks. */
const toldOfDocuments: ReadonlySet<string> = new Set(["mediaType", "annotations", "manifests"]);
const toldOfDescriptors: ReadonlySet<string> = new Set([
  "mediaType",
  "annotations",
  "digest",
  "size",
  "data",
  "platform",
]);

/**
 * What differs between two image indexes (image-spec, image-index.md) or Docker manifest
 * lists beside the images that they give each platform, which are compared on their own.
 * What a runtime may choose an image by, and children that are not what they are said to
 * be, are `unexplained`; all else is benign. Throws an infrastructure error when an index
 * or attestation cannot be read or is not what its digest says, inline `data` included.
 */
export async function compareIndexes(
  left: ImageSource,
  right: ImageSource,
  signal?: AbortSignal,
): Promise<Difference[]> {
  if (left.descriptor.digest === right.descriptor.digest) return [];
  const [a, b] = [await readSide(left, signal), await readSide(right, signal)];
  if (!a || !b) return [];
  const pairs = pairsOf(a, b);
  return [
    ...compareAttestations(a, b),
    ...compareArtifacts(a, b),
    ...compareOrder(a, b),
    ...compareNesting(a, b),
    ...compareAnnotations(pairs),
    ...compareMediaTypes(pairs),
    ...compareInlineData(pairs),
    ...compareFields(pairs),
    ...comparePlatformFields(pairs),
    ...compareRepeated(a, b),
    ...compareKeyOrder(a, b),
  ];
}

async function readSide(source: ImageSource, signal: AbortSignal | undefined): Promise<IndexSide | undefined> {
  const { indexes, children } = await resolveChildren(source, signal);
  const [root, ...nested] = indexes;
  if (!root) return undefined;
  const images = new Map<Digest, string>();
  for (const child of children)
    if (child.kind === "image" && !images.has(child.descriptor.digest))
      images.set(child.descriptor.digest, child.platform);
  const descriptors = children.filter(({ kind }) => kind === "attestation").map(({ descriptor }) => descriptor);
  const attestations = await readAttestationChildren(source.reader, descriptors, new Set(images.keys()), signal);
  return { root, nested, children: named(children, images), attestations };
}

/** Names children by what they are and are for, counted where several are alike. */
function named(children: readonly IndexChild[], platforms: ReadonlyMap<Digest, string>): Map<string, IndexChild> {
  const counts = new Map<string, number>();
  const byName = new Map<string, IndexChild>();
  for (const child of children) {
    const first = nameOf(child, platforms);
    let count = (counts.get(first) ?? 0) + 1;
    let name = count === 1 ? first : `${first} (${count})`;
    // a platform may be called like another's second image
    for (; byName.has(name); name = `${first} (${count})`) count += 1;
    counts.set(first, count);
    byName.set(name, child);
  }
  return byName;
}

function nameOf(child: IndexChild, platforms: ReadonlyMap<Digest, string>): string {
  if (child.kind === "image") return child.platform;
  if (child.kind === "artifact") return `artifact ${artifactType(child)}`;
  const subject = child.descriptor.annotations?.["vnd.docker.reference.digest"] as Digest | undefined;
  return `attestation of ${(subject && platforms.get(subject)) ?? "nothing here"}`;
}

/** image-spec, manifest.md: an artifact's type is `artifactType`, or its config's media type. */
function artifactType({ descriptor, manifest }: IndexChild & { readonly kind: "artifact" }): string {
  return String(descriptor.artifactType ?? manifest.artifactType ?? manifest.config.mediaType).slice(0, 200);
}

/** What is compared field by field: images by platform, everything else where both sides have the same. */
function pairsOf(a: IndexSide, b: IndexSide): Pair[] {
  const pairs: Pair[] = [
    { label: "the index", left: jsonOf(a.root.index), right: jsonOf(b.root.index), kind: "document" },
  ];
  for (let position = 0; position < Math.max(a.nested.length, b.nested.length); position += 1) {
    const [left, right] = [a.nested[position], b.nested[position]];
    const label = `nested index ${position}`;
    const present = left && right;
    pairs.push(
      {
        label,
        left: present ? jsonOf(left.index) : withoutType(left?.index),
        right: present ? jsonOf(right.index) : withoutType(right?.index),
        kind: "document",
      },
      {
        label: `${label}'s descriptor`,
        left: present ? jsonOf(left.descriptor) : withoutType(left?.descriptor),
        right: present ? jsonOf(right.descriptor) : withoutType(right?.descriptor),
        kind: "index",
      },
    );
  }
  const rightByDigest = new Map([...b.children.values()].map((child) => [child.descriptor.digest, child]));
  for (const [name, child] of a.children) {
    const isImage = child.kind === "image";
    const counterpart = isImage ? b.children.get(name) : rightByDigest.get(child.descriptor.digest);
    if (!counterpart || (counterpart.kind === "image") !== isImage) continue;
    pairs.push({
      label: name,
      left: jsonOf(child.descriptor),
      right: jsonOf(counterpart.descriptor),
      kind: isImage ? "image" : "other",
    });
  }
  return pairs;
}

/** Of an index that one side alone has, `index-nested` tells that it is one. */
function withoutType(value: object | undefined): JsonObject {
  const { mediaType: _, schemaVersion: __, ...rest } = jsonOf(value ?? {});
  return rest;
}

function jsonOf(value: object): JsonObject {
  return value as JsonObject;
}

function compareAttestations(a: IndexSide, b: IndexSide): Difference[] {
  const [left, right] = [a.attestations, b.attestations];
  const [onlyLeft, onlyRight] = [without(left, right), without(right, left)];
  const changed = [...onlyLeft, ...onlyRight];
  const malformed = changed.filter((attestation) => attestation.malformed.length > 0);
  const read = changed.filter((attestation) => attestation.malformed.length === 0);
  const detail = `${describeAttestations(left)}; ${describeAttestations(right)}`;
  return [
    ...about("benign", "attestation-children", detail, read.map(digestName)),
    ...about("unexplained", "attestation-malformed", describeAttestations(malformed), malformed.map(digestName)),
  ];
}

function digestName({ digest }: { readonly digest: Digest }): string {
  return digest;
}

/** Those whose digest the other side lacks, as many times as it lacks it. */
function without<T extends { readonly digest: Digest }>(these: readonly T[], those: readonly T[]): T[] {
  const counts = new Map<Digest, number>();
  for (const { digest } of those) counts.set(digest, (counts.get(digest) ?? 0) + 1);
  return these.filter(({ digest }) => {
    const count = counts.get(digest) ?? 0;
    counts.set(digest, count - 1);
    return count <= 0;
  });
}

function compareArtifacts(a: IndexSide, b: IndexSide): Difference[] {
  const [left, right] = [artifactsOf(a), artifactsOf(b)];
  const changed = [...without(left, right), ...without(right, left)];
  const types = (list: readonly { readonly type: string }[]): string =>
    [...new Set(list.map(({ type }) => type))].toSorted().slice(0, 10).join(", ") || "none";
  const detail = `${left.length} of ${types(left)}; ${right.length} of ${types(right)}`;
  return about("benign", "index-artifact-children", detail, changed.map(digestName));
}

function artifactsOf(side: IndexSide): { readonly digest: Digest; readonly type: string }[] {
  return [...side.children.values()].flatMap((child) =>
    child.kind === "artifact" ? [{ digest: child.descriptor.digest, type: artifactType(child) }] : [],
  );
}

function compareOrder(a: IndexSide, b: IndexSide): Difference[] {
  const left = [...a.children.keys()].filter((name) => b.children.has(name));
  const right = [...b.children.keys()].filter((name) => a.children.has(name));
  if (canonicalJson(left) === canonicalJson(right)) return [];
  const shown = (names: readonly string[]): string => names.slice(0, 10).join(", ");
  return [benign("index-child-order", "index", `${shown(left)}; ${shown(right)}`)];
}

function compareNesting(a: IndexSide, b: IndexSide): Difference[] {
  const shape = ({ children }: IndexSide, other: IndexSide): Json =>
    [...children]
      .filter(([name]) => other.children.has(name))
      .map(([name, { parent }]): [string, number] => [name, parent])
      .toSorted(([x], [y]) => (x < y ? -1 : 1));
  const isSame = a.nested.length === b.nested.length && canonicalJson(shape(a, b)) === canonicalJson(shape(b, a));
  if (isSame) return [];
  return [benign("index-nested", "index", `${a.nested.length} nested indexes and ${b.nested.length}`)];
}

function compareAnnotations(pairs: readonly Pair[]): Difference[] {
  const found = pairs.flatMap(({ label, left, right }) => {
    const [a, b] = [left["annotations"] ?? {}, right["annotations"] ?? {}];
    const areObjects = isObject(a) && isObject(b);
    const isMalformed = !areObjects && canonicalJson(a) !== canonicalJson(b);
    const keys = areObjects ? changedKeys(a, b) : isMalformed ? ["annotations"] : [];
    return keys.map((key) => `${key} (${label})`);
  });
  return about("benign", "index-annotations", "other annotations", found);
}

function compareMediaTypes(pairs: readonly Pair[]): Difference[] {
  const changed = pairs.filter(({ left, right }) => left["mediaType"] !== right["mediaType"]);
  const isKnown = ({ left, right }: Pair): boolean =>
    mediaTypeSets.some((types) => types.has(left["mediaType"]) && types.has(right["mediaType"]));
  const [known, unknown] = [changed.filter(isKnown), changed.filter((pair) => !isKnown(pair))];
  const detailOf = (list: readonly Pair[]): string =>
    `${String(list[0]?.left["mediaType"] ?? "none").slice(0, 200)} and ${String(list[0]?.right["mediaType"] ?? "none").slice(0, 200)}`;
  return [
    ...about("benign", "index-media-type", detailOf(known), known.map(labelOf)),
    ...about("unexplained", "index-media-type", detailOf(unknown), unknown.map(labelOf)),
  ];
}

function labelOf({ label }: Pair): string {
  return label;
}

/** Only whether it is there: what it holds was checked against the digest. */
function compareInlineData(pairs: readonly Pair[]): Difference[] {
  const found = pairs.filter(({ left, right }) => (left["data"] === undefined) !== (right["data"] === undefined));
  return about("benign", "index-inline-data", "content given inline as well", found.map(labelOf));
}

function compareFields(pairs: readonly Pair[]): Difference[] {
  const found = pairs.flatMap((pair) => otherKeys(pair).map((key) => `${key} (${pair.label})`));
  return about("benign", "index-fields", "other fields", found);
}

function otherKeys({ kind, left, right }: Pair): string[] {
  const changed = changedKeys(left, right);
  if (kind === "document") return changed.filter((key) => !toldOfDocuments.has(key));
  const isSameContent = left["digest"] !== undefined && left["digest"] === right["digest"];
  const others = changed.filter((key) => !toldOfDescriptors.has(key) || (key === "size" && isSameContent));
  if (kind === "other") return [...others, ...changed.filter((key) => key === "platform")];
  if (kind === "index" || !left["platform"] || !right["platform"]) return others;
  // a variant that is implied may be written or not
  const platform = changedKeys(objectOf(left["platform"]), objectOf(right["platform"]));
  return [...others, ...platform.filter((key) => selectingKeys.has(key)).map((key) => `platform.${key}`)];
}

/** Runtimes choose by `os.features`, some by the lack of a platform, and some by the platform of a nested index. */
function comparePlatformFields(pairs: readonly Pair[]): Difference[] {
  const found = pairs.flatMap(({ kind, label, left, right }) => {
    if (kind !== "image" && kind !== "index") return [];
    const [a, b] = [left["platform"], right["platform"]];
    if ((a === undefined) !== (b === undefined)) return [`platform (${label})`];
    return changedKeys(objectOf(a), objectOf(b))
      .filter((key) => kind === "index" || !selectingKeys.has(key))
      .map((key) => `platform.${key} (${label})`);
  });
  return about("unexplained", "index-platform-fields", "what a runtime may choose an image by", found);
}

/** The first image of a platform is compared; of what stands behind it nobody else speaks. */
function compareRepeated(a: IndexSide, b: IndexSide): Difference[] {
  const [left, right] = [repeatedIn(a), repeatedIn(b)];
  const names = [...new Set([...left.keys(), ...right.keys()])].filter((name) => left.get(name) !== right.get(name));
  return about("unexplained", "index-repeated-platform", "images of a platform that has one already", names);
}

function repeatedIn({ children }: IndexSide): Map<string, Digest> {
  const images = [...children].filter(([name, child]) => child.kind === "image" && child.platform !== name);
  return new Map(images.map(([name, { descriptor }]) => [name, descriptor.digest]));
}

function compareKeyOrder(a: IndexSide, b: IndexSide): Difference[] {
  const isSame = canonicalJson(a.root.index) === canonicalJson(b.root.index);
  return isSame ? [benign("index-key-order", "index", "the same content, written otherwise")] : [];
}

function changedKeys(a: JsonObject, b: JsonObject): string[] {
  const [left, right] = [new Map(Object.entries(a)), new Map(Object.entries(b))];
  return [...new Set([...left.keys(), ...right.keys()])]
    .filter((key) => canonicalJson(left.get(key) ?? null) !== canonicalJson(right.get(key) ?? null))
    .map((key) => key.slice(0, 200));
}

function objectOf(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A difference about the things named; none when there are none. */
function about(weight: "benign" | "unexplained", name: string, detail: string, names: readonly string[]): Difference[] {
  if (names.length === 0) return [];
  const { proof, ...difference } = { ...benign(name, "index", detail), weight };
  const paths = names.toSorted().slice(0, examples);
  return [{ ...difference, count: names.length, paths, ...(weight === "benign" && { proof }) }];
}
