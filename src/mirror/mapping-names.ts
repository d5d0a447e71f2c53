import type { RegistryReference } from "../oci/reference.ts";

/** An image whose mirror is in a registry too. */
export interface RegistryPair {
  readonly from: RegistryReference;
  readonly to: RegistryReference;
}

/** What is before a name at the end of a path, in whole components; undefined where the name is not there. */
export function prefixBefore(path: string, name: string): string | undefined {
  if (path === name) return "";
  return path.endsWith(`/${name}`) ? path.slice(0, -name.length - 1) : undefined;
}

/** A reference without its tag. */
export function nameOf({ host, repository }: RegistryReference): string {
  return `${host}/${repository}`;
}
