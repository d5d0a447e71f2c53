import { canonicalJson } from "../json.ts";
import type { ImageManifest, Json } from "../oci/types.ts";
import { benign } from "./benign.ts";
import type { ResolvedImage } from "./resolve.ts";
import type { Difference } from "./types.ts";

/** What differs between two manifests beside the content they name; all of it is benign. */
export function compareManifests(left: ResolvedImage, right: ResolvedImage): Difference[] {
  if (left.descriptor.digest === right.descriptor.digest) return [];
  const [a, b] = [left.manifest, right.manifest];
  const differences: Difference[] = [];
  const isSameLayer = (position: number): boolean => left.diffIds[position] === right.diffIds[position];
  const compressed = a.layers.flatMap((layer, position) =>
    layer.digest === b.layers[position]?.digest || !isSameLayer(position) ? [] : [`layer ${position}`],
  );
  if (compressed.length > 0) {
    differences.push({
      ...benign("layer-compression", "manifest", "the same tar, compressed otherwise"),
      count: compressed.length,
      paths: compressed.slice(0, 100),
    });
  }
  if (canonicalJson(annotationsOf(a)) !== canonicalJson(annotationsOf(b)))
    differences.push(benign("manifest-annotations", "manifest", "other annotations"));
  const [typesA, typesB] = [typesOf(a), typesOf(b)];
  if (typesA !== typesB) differences.push(benign("media-type", "manifest", `${typesA} and ${typesB}`));
  const others = unclassified(a, b);
  if (others.length > 0)
    differences.push({ ...benign("manifest-fields", "manifest", "other fields"), count: others.length, paths: others });
  if (canonicalJson(a) === canonicalJson(b))
    differences.push(benign("manifest-key-order", "manifest", "the same content, written otherwise"));
  return differences;
}

function annotationsOf(manifest: ImageManifest): Json {
  const { annotations, config, layers } = manifest;
  return [annotations ?? {}, config.annotations ?? {}, ...layers.map((layer) => layer.annotations ?? {})];
}

/** The media types of a manifest, its config and its layers, each once. */
function typesOf(manifest: ImageManifest): string {
  const { mediaType, config, layers } = manifest;
  return [...new Set([mediaType ?? "none", config.mediaType, ...layers.map((layer) => layer.mediaType)])].join(", ");
}

/** Top-level keys that differ and that no other difference is about. */
function unclassified(a: ImageManifest, b: ImageManifest): string[] {
  const classified = new Set(["mediaType", "annotations", "config", "layers"]);
  const [left, right] = [new Map(Object.entries(a)), new Map(Object.entries(b))];
  return [...new Set([...left.keys(), ...right.keys()])]
    .filter((key) => !classified.has(key))
    .filter((key) => canonicalJson(left.get(key) ?? null) !== canonicalJson(right.get(key) ?? null))
    .toSorted()
    .slice(0, 100);
}
