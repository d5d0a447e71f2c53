import { resolve } from "node:path";
import { usageError } from "../errors.ts";
import { openLayoutRepository } from "../oci/layout-repository.ts";
import { openLayout } from "../oci/layout.ts";
import { parseReference, type Reference } from "../oci/reference.ts";
import type { RegistryClient } from "../oci/registry/client.ts";
import type { Repository } from "../oci/repository.ts";

/**
 * Opens an escrow, `HOST/NAME` or `oci:PATH`, without a tag or digest. A layout that is
 * not there is made where `create` says so, and else a usage error.
 */
export async function openEscrow(
  text: string,
  registry: RegistryClient,
  options: { readonly cwd: string; readonly create?: boolean },
): Promise<Repository> {
  const reference = parseReference(text);
  if (("tag" in reference && reference.tag !== undefined) || ("digest" in reference && reference.digest !== undefined))
    throw wrong(text);
  if (reference.kind !== "oci" && reference.kind !== "registry") throw wrong(text);
  return openPlace(reference, registry, options);
}

/** Opens the repository of a reference to a layout or registry, as {@link openEscrow} does. */
export async function openPlace(
  reference: Extract<Reference, { kind: "oci" | "registry" }>,
  registry: RegistryClient,
  { cwd, create }: { readonly cwd: string; readonly create?: boolean },
): Promise<Repository> {
  if (reference.kind === "registry") return registry.repository(reference);
  const path = resolve(cwd, reference.path);
  if (!create) await openLayout(path);
  return openLayoutRepository(path);
}

function wrong(text: string): Error {
  return usageError(`an escrow is HOST/NAME or oci:PATH, without a tag or digest, and not ${text}`);
}
