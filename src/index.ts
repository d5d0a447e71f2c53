import { type CompareOptions as ImageOptions, compareImages } from "./compare/compare-images.ts";
import type { Comparison } from "./compare/types.ts";
import { type ResolvedReference, resolveReference } from "./oci/open-reference.ts";
import { parseReference, type Reference } from "./oci/reference.ts";
import { createRegistryClient } from "./oci/registry/client.ts";

/** How two images are compared by name. */
export interface CompareOptions extends ImageOptions {
  /** Where credentials, proxies and certificates of registries are found; `process.env` by default. */
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Compares two images or indexes, platform by platform, at every level of equality, and
 * says of every difference what proves it harmless, if anything does. Images are named as
 * containers-transports(5) does: `HOST/NAME[:TAG][@sha256:...]`, `docker://...`,
 * `oci:PATH[:TAG|@DIGEST]`, `oci-archive:FILE[:TAG]`, `docker-archive:FILE`. The same images
 * always give the same result, byte for byte as JSON.
 *
 * Throws a {@link RefoundryError}: of kind `usage` for a name that means nothing, of kind
 * `infrastructure` when something cannot be read, is damaged, or is not what its digest
 * says, of kind `interrupted` when the signal aborts.
 */
export async function compare(left: string, right: string, options: CompareOptions = {}): Promise<Comparison> {
  const { env = process.env, ...imageOptions } = options;
  const [a, b] = [parseReference(left), parseReference(right)];
  const registry = createRegistryClient({ env });
  const opened: ResolvedReference[] = [];
  const open = async (reference: Reference): Promise<ResolvedReference> => {
    const resolved = await resolveReference(reference, registry, options.signal);
    opened.push(resolved);
    return resolved;
  };
  try {
    const [mine, theirs] = [await open(a), await open(b)];
    return await compareImages({ ...mine, name: left }, { ...theirs, name: right }, imageOptions);
  } finally {
    for (const { close } of opened) await close?.();
    await registry.close();
  }
}

export { describedClasses as differenceClasses } from "./compare/classes/catalogue.ts";
export type { ClassDescription } from "./compare/classes/class.ts";
export type { Evidence, FileEvidence, PlatformEvidence, Shown } from "./compare/evidence/types.ts";
export * from "./compare/types.ts";
export type { Waiver } from "./compare/waivers.ts";
export { RefoundryError } from "./errors.ts";
