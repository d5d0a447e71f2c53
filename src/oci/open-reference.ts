import { usageError } from "../errors.ts";
import { openLayout } from "./layout.ts";
import { formatReference, type Reference } from "./reference.ts";
import type { RegistryClient } from "./registry/client.ts";
import type { ContentReader, Descriptor } from "./types.ts";

const refName = "org.opencontainers.image.ref.name";

/** Opens what a reference names for reading by descriptor. */
export async function openReference(reference: Reference, registry: RegistryClient): Promise<ContentReader> {
  if (reference.kind === "registry") return registry.repository(reference);
  if (reference.kind === "oci") return openLayout(reference.path);
  throw unreadable(reference);
}

function unreadable(reference: Reference): Error {
  return usageError(`${formatReference(reference)} cannot be read`, {
    hint: "name a registry or an OCI layout (oci:PATH)",
  });
}

/**
 * Finds what a reference names: by digest, by tag, or the only entry of a layout.
 * Throws a usage error that lists what a layout has when the name is not there.
 */
export async function resolveReference(
  reference: Reference,
  registry: RegistryClient,
  signal?: AbortSignal,
): Promise<{ readonly reader: ContentReader; readonly descriptor: Descriptor }> {
  if (reference.kind === "registry") {
    const repository = registry.repository(reference);
    const { descriptor } = await repository.resolve(reference.digest ?? reference.tag ?? "latest", signal);
    return { reader: repository, descriptor };
  }
  if (reference.kind !== "oci") throw unreadable(reference);
  const layout = await openLayout(reference.path);
  const { manifests } = await layout.readIndex();
  const { digest, tag } = reference;
  const found = manifests.filter((entry) =>
    digest ? entry.digest === digest : tag === undefined || entry.annotations?.[refName] === tag,
  );
  const [descriptor, ...others] = found;
  if (descriptor && others.length === 0) return { reader: layout, descriptor };
  const names = manifests.map((entry) => entry.annotations?.[refName] ?? entry.digest).join(", ");
  const problem = descriptor ? "names more than one image" : "names no image";
  throw usageError(`${formatReference(reference)} ${problem}; the layout has ${names || "none"}`);
}
