import type { PlatformName } from "../oci/platform.ts";

/** Debian's names where they are not OCI's. */
const debianNames: Readonly<Record<PlatformName, string>> = {
  "linux/arm/v7": "armhf",
  "linux/arm/v6": "armel",
  "linux/arm/v5": "armel",
  "linux/386": "i386",
  "linux/ppc64le": "ppc64el",
  "linux/mips64le": "mips64el",
};

/** Debian's architecture for an OCI platform, as in `ppc64el` for `linux/ppc64le`. */
export function debianArchitectureOf(platform: PlatformName): string {
  return debianNames[platform] ?? platform.slice("linux/".length);
}

/** The OCI platform of a Debian architecture. */
export function platformOfDebianArchitecture(architecture: string): PlatformName {
  const found = Object.entries(debianNames).find(([, name]) => name === architecture);
  return found ? (found[0] as PlatformName) : `linux/${architecture}`;
}
