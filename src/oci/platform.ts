import type { OciPlatform } from "./types.ts";

/** A platform in the form `os/architecture` or `os/architecture/variant`. */
export type PlatformName = `${string}/${string}`;

const pattern = /^[a-z0-9]+\/[a-z0-9_]+(\/[a-z0-9.]+)?$/;

/** Platforms that images are made for: what Go can build (go tool dist list) with the image-spec's variants. */
export const knownPlatforms: ReadonlySet<string> = new Set(
  `darwin/amd64 darwin/arm64 freebsd/386 freebsd/amd64 freebsd/arm freebsd/arm64 freebsd/riscv64
  linux/386 linux/amd64 linux/amd64/v2 linux/amd64/v3 linux/amd64/v4 linux/arm linux/arm/v5 linux/arm/v6 linux/arm/v7
  linux/arm64 linux/loong64 linux/mips linux/mips64 linux/mips64le linux/mipsle linux/ppc64 linux/ppc64le
  linux/riscv64 linux/s390x linux/sparc64 netbsd/amd64 openbsd/amd64 wasi/wasm wasip1/wasm windows/386
  windows/amd64 windows/arm64`.split(/\s+/),
);

/** Whether a text is `os/architecture[/variant]`. */
export function isPlatformName(text: string): text is PlatformName {
  return pattern.test(text);
}

/** `linux/arm/v7` to the image-spec's object. */
export function parsePlatform(name: PlatformName): OciPlatform {
  const [os = "", architecture = "", variant] = name.split("/");
  return { architecture, os, ...(variant !== undefined && { variant }) };
}

/**
 * The name of an image-spec platform. `arm64/v8` is written `arm64`, as containerd
 * normalises it (platforms.Normalize), so that the two match.
 */
export function platformName(platform: OciPlatform): PlatformName {
  const { os, architecture, variant } = platform;
  const implied = architecture === "arm64" && variant === "v8";
  return variant === undefined || variant === "" || implied
    ? `${os}/${architecture}`
    : `${os}/${architecture}/${variant}`;
}

/** The platform's name in a form that is one path component: `linux-arm-v7`. */
export function platformSlug(name: PlatformName): string {
  return name.replaceAll("/", "-");
}
