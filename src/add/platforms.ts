import { usageError } from "../errors.ts";
import { isPlatformName, knownPlatforms, type PlatformName } from "../oci/platform.ts";
import type { Toolchain } from "../recipe/schema.ts";
import { didYouMean, quoted } from "../recipe/words.ts";
import { canBuild } from "./choose-toolchain.ts";

/** Platforms that are proposed where upstream does not have them. */
const defaultPlatforms: readonly PlatformName[] = [
  "linux/amd64",
  "linux/arm64",
  "linux/arm/v7",
  "linux/riscv64",
  "linux/s390x",
  "linux/ppc64le",
  "linux/loong64",
];

/** Platforms of a new recipe. */
export interface ProposedPlatforms {
  /** What upstream has, in its order. */
  readonly reproduce: readonly PlatformName[];
  readonly extend: readonly PlatformName[];
  /** Left out because the toolchain cannot build for them. */
  readonly cannot: readonly PlatformName[];
  /** Left out because nothing tells whether it can. */
  readonly unknown: readonly PlatformName[];
}

/** Checks the platforms that `--platform-extend` names. Throws a usage error for what is no platform. */
export function requirePlatforms(names: readonly string[]): PlatformName[] {
  return [...new Set(names.flatMap((name) => name.split(",")))].map((name) => {
    if (isPlatformName(name) && knownPlatforms.has(name)) return name;
    throw usageError(`--platform-extend ${quoted(name)} is no platform that images are made for`, {
      hint:
        didYouMean(name, [...knownPlatforms]) ??
        "write os/architecture or os/architecture/variant, as in linux/riscv64",
    });
  });
}

/**
 * Proposes platforms: to reproduce what upstream has, to extend to what was asked for, or
 * else to the default list as far as the toolchain can build for it.
 */
export function proposePlatforms(
  upstream: readonly PlatformName[],
  asked: readonly PlatformName[] | undefined,
  toolchain: Toolchain,
  pureGo: boolean,
): ProposedPlatforms {
  const missing = (asked ?? defaultPlatforms).filter((platform) => !upstream.includes(platform));
  if (asked) return { reproduce: upstream, extend: missing.toSorted(), cannot: [], unknown: [] };
  const where = (wanted: boolean | undefined): PlatformName[] =>
    missing.filter((platform) => canBuild(toolchain, platform, pureGo) === wanted);
  return { reproduce: upstream, extend: where(true).toSorted(), cannot: where(false), unknown: where(undefined) };
}
