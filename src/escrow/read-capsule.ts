import { infrastructureError, RefoundryError } from "../errors.ts";
import { isDescriptor } from "../oci/descriptor.ts";
import { digestOf, hexOf, isDigest } from "../oci/digest.ts";
import { releaseTag } from "../publish/release-tags.ts";
import type { Repository } from "../oci/repository.ts";
import { type Descriptor, type JsonObject, mediaTypes } from "../oci/types.ts";
import { quoted } from "../recipe/words.ts";
import { holdingKey } from "./release-inputs.ts";
import {
  annotationNames,
  artifactTypes,
  type Capsule,
  type CapsuleComponent,
  type ComponentKind,
  type HeldContent,
  type HeldSince,
} from "./types.ts";

/** Generous for every release that is known; a capsule comes from somebody else. */
const limits = { components: 2000, layers: 20_000 };

const imageTypes: ReadonlySet<string> = new Set([mediaTypes.manifest, mediaTypes.dockerManifest]);
const componentTypes: Readonly<Record<Exclude<ComponentKind, "image">, string>> = {
  recipe: artifactTypes.recipe,
  source: artifactTypes.source,
  packages: artifactTypes.packages,
  "package-sources": artifactTypes["package-sources"],
  document: artifactTypes.document,
};

/**
 * The tag of a release's capsule: `RECIPE__VERSION`. No name of a recipe has `__` in it, and
 * a version that a tag cannot hold as it is gets a part of its digest, so that no two
 * releases share a tag.
 */
export function capsuleTag(recipe: string, version: string): string {
  const plain = `${recipe}__${releaseTag(version)}`;
  if (releaseTag(version) === version && plain.length <= 128) return plain;
  return `${plain.slice(0, 111)}-${hexOf(digestOf(version)).slice(0, 16)}`;
}

/**
 * The capsule of a release, by its tag; undefined where the escrow has none. Throws an
 * infrastructure error when it is damaged, or is the capsule of another release.
 */
export async function findCapsule(
  escrow: Repository,
  recipe: string,
  version: string,
  signal?: AbortSignal,
): Promise<Capsule | undefined> {
  const tag = capsuleTag(recipe, version);
  const descriptor = await escrow.find(tag, signal);
  if (!descriptor) return undefined;
  const capsule = await readCapsule(escrow, descriptor, signal);
  if (capsule.recipe === recipe && capsule.version === version) return capsule;
  throw infrastructureError(
    `${escrow.name}:${tag} is the capsule of ${capsule.recipe} ${capsule.version}, not of ${recipe} ${version}`,
    { hint: "somebody moved the tag, or two releases share it; read the right one by its digest" },
  );
}

/** A tag of an escrow that names a capsule. */
export interface CapsuleTag {
  readonly tag: string;
  readonly descriptor: Descriptor;
}

/** Every tag of an escrow that names a capsule, in the order of the tags. Other tags are passed over. */
export async function listCapsules(escrow: Repository, signal?: AbortSignal): Promise<CapsuleTag[]> {
  const found: CapsuleTag[] = [];
  for (const tag of await escrow.listTags(signal)) {
    const descriptor = await escrow.find(tag, signal);
    if (!descriptor || descriptor.mediaType !== mediaTypes.index) continue;
    const { artifactType } = await readJson(escrow, descriptor, signal);
    if (artifactType === artifactTypes.capsule) found.push({ tag, descriptor });
  }
  return found;
}

/**
 * Reads a capsule and the manifests of its components, and no blob. Throws an
 * infrastructure error that names what is missing, damaged, beyond the limits or no capsule.
 */
export async function readCapsule(escrow: Repository, descriptor: Descriptor, signal?: AbortSignal): Promise<Capsule> {
  const where = `${escrow.name}@${descriptor.digest}`;
  const index = await readJson(escrow, descriptor, signal);
  if (descriptor.mediaType !== mediaTypes.index || index["artifactType"] !== artifactTypes.capsule)
    throw infrastructureError(`${where} is no capsule: it has not the artifact type ${artifactTypes.capsule}`);
  const annotations = annotationsOf(index);
  const recipe = requireText(annotations, annotationNames.recipe, where);
  const version = requireText(annotations, annotationNames.version, where);
  const expected = annotations[annotationNames.expectedIndex];
  if (expected !== undefined && !isDigest(expected))
    throw infrastructureError(`${where} expects an index with no sha256 digest: ${quoted(expected)}`);
  const children = descriptorsOf(index["manifests"], limits.components, where);
  const components: CapsuleComponent[] = [];
  for (const child of children) components.push(await readComponent(escrow, child, where, signal));
  const { mediaType, digest, size } = descriptor;
  return {
    descriptor: { mediaType, digest, size },
    recipe,
    version,
    ...(expected !== undefined && { expectedIndex: expected }),
    components,
  };
}

/** What a capsule holds, as {@link holdingKey} tells inputs apart, each with the blobs that it is. */
export function heldKeys({ components }: Pick<Capsule, "components">): Map<string, readonly Descriptor[]> {
  const keys = new Map<string, readonly Descriptor[]>();
  for (const { pinned, contents } of components) {
    for (const { kind, name, version, commit, descriptor, below } of contents) {
      const blobs = below ?? [descriptor];
      if (pinned !== undefined) keys.set(pinned, blobs);
      if (kind === "recipe") keys.set(holdingKey({ kind, name, version }), blobs);
      else if (commit === undefined) keys.set(descriptor.digest, blobs);
      else keys.set(holdingKey({ kind, name, version, commit }), blobs);
    }
  }
  return keys;
}

/** Since when a capsule is held, by the oldest that says so; undefined where nothing does. */
export async function readHeldSince(
  escrow: Repository,
  capsule: Pick<Capsule, "descriptor">,
  signal?: AbortSignal,
): Promise<HeldSince | undefined> {
  const referrers = await escrow.listReferrers(capsule.descriptor.digest, {
    artifactType: artifactTypes.held,
    ...(signal && { signal }),
  });
  const times: HeldSince[] = [];
  for (const referrer of referrers) {
    const where = `${escrow.name}@${referrer.digest}`;
    const [layer] = descriptorsOf((await readJson(escrow, referrer, signal))["layers"], 1, where);
    if (!layer) continue;
    const { since, tools, origins } = await readJson(escrow, layer, signal);
    if (typeof since !== "string" || Number.isNaN(Date.parse(since)))
      throw infrastructureError(`${where} says no time since when the capsule is held`);
    times.push({ since, tools: textsOf(tools), origins: textsOf(origins) });
  }
  return times.toSorted((a, b) => Date.parse(a.since) - Date.parse(b.since))[0];
}

async function readComponent(
  escrow: Repository,
  descriptor: Descriptor,
  where: string,
  signal?: AbortSignal,
): Promise<CapsuleComponent> {
  const here = `${where}: component ${descriptor.digest}`;
  const named = descriptor.annotations ?? {};
  const kind = requireText(named, annotationNames.component, here);
  const of = requireText(named, annotationNames.of, here);
  const pinned = named[annotationNames.pinned];
  if (pinned !== undefined && !isDigest(pinned)) throw infrastructureError(`${here} is pinned by no sha256 digest`);
  if (!isComponentKind(kind)) throw infrastructureError(`${here} is of no known kind: ${quoted(kind)}`);
  // an index in a capsule could hide anything, any depth
  if (!imageTypes.has(descriptor.mediaType))
    throw infrastructureError(`${here} is no manifest (media type ${quoted(descriptor.mediaType)})`);
  const manifest = await readJson(escrow, descriptor, signal);
  if (kind !== "image" && manifest["artifactType"] !== componentTypes[kind])
    throw infrastructureError(`${here} has not the artifact type ${componentTypes[kind]}`);
  const layers = descriptorsOf(manifest["layers"], limits.layers, here);
  const platform = named[annotationNames.platform];
  return {
    kind,
    of,
    descriptor,
    ...(pinned !== undefined && { pinned }),
    ...(platform !== undefined && { platform }),
    contents: kind === "image" ? [imageContent(descriptor, manifest, layers, here)] : contentsOf(kind, layers, here),
  };
}

function contentsOf(
  kind: Exclude<ComponentKind, "image">,
  layers: readonly Descriptor[],
  where: string,
): HeldContent[] {
  switch (kind) {
    case "recipe":
      return layers.map((layer) => fileContent("recipe", layer, where));
    case "document":
      return layers.map((layer) => fileContent("index", layer, where));
    case "packages":
      return layers.map((layer) => fileContent("package", layer, where));
    case "package-sources":
      return layers.map((layer) => fileContent("package-source", layer, where));
    case "source":
      return layers.map((layer) => {
        const commit = layer.annotations?.[annotationNames.commit];
        return fileContent(commit === undefined ? "source-file" : "commit", layer, where);
      });
  }
}

function fileContent(kind: HeldContent["kind"], layer: Descriptor, where: string): HeldContent {
  const named = layer.annotations ?? {};
  const { packageName, packageVersion, architecture: architectureName } = annotationNames;
  const commit = named[annotationNames.commit];
  const path = named[annotationNames.path];
  const architecture = named[architectureName];
  return {
    kind,
    name: named[packageName] ?? requireText(named, annotationNames.title, `${where}: ${layer.digest}`),
    version: named[packageVersion] ?? commit ?? "",
    descriptor: layer,
    ...(commit !== undefined && { commit }),
    ...(path !== undefined && { path }),
    ...(architecture !== undefined && { architecture }),
  };
}

function imageContent(
  descriptor: Descriptor,
  manifest: JsonObject,
  layers: readonly Descriptor[],
  where: string,
): HeldContent {
  const [config] = descriptorsOf([manifest["config"] ?? null], 1, where);
  const named = descriptor.annotations ?? {};
  return {
    kind: "image",
    name: named[annotationNames.title] ?? "",
    version: named[annotationNames.platform] ?? "",
    descriptor,
    below: [...(config ? [config] : []), ...layers],
  };
}

async function readJson(escrow: Repository, descriptor: Descriptor, signal?: AbortSignal): Promise<JsonObject> {
  const bytes = await escrow.readDocument(descriptor, signal);
  try {
    const parsed: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
    if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) return parsed as JsonObject;
  } catch (cause) {
    if (cause instanceof RefoundryError) throw cause;
    throw infrastructureError(`${escrow.name}@${descriptor.digest} is not JSON`, { cause });
  }
  throw infrastructureError(`${escrow.name}@${descriptor.digest} is not a JSON object`);
}

function descriptorsOf(value: unknown, most: number, where: string): Descriptor[] {
  if (!Array.isArray(value)) throw infrastructureError(`${where} names nothing: a list is missing`);
  if (value.length > most) throw infrastructureError(`${where} names ${value.length} things, and ${most} are the most`);
  return value.map((entry: unknown) => {
    if (!isDescriptor(entry))
      throw infrastructureError(`${where} has a descriptor without media type, sha256 digest and size`);
    const annotations = Object.entries(entry.annotations ?? {}).filter(([, text]) => typeof text === "string");
    return { ...entry, annotations: Object.fromEntries(annotations) };
  });
}

function annotationsOf(document: JsonObject): Readonly<Record<string, string>> {
  return textsOf(document["annotations"]);
}

/** What of a JSON object is text. */
function textsOf(value: unknown): Readonly<Record<string, string>> {
  const texts = Object.entries((value ?? {}) as JsonObject).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  return Object.fromEntries(texts);
}

function requireText(annotations: Readonly<Record<string, string>>, name: string, where: string): string {
  const text = annotations[name];
  if (text !== undefined && text !== "") return text;
  throw infrastructureError(`${where} lacks the annotation ${name}`);
}

function isComponentKind(text: string): text is ComponentKind {
  return text === "image" || Object.hasOwn(componentTypes, text);
}
