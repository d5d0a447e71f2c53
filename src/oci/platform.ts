import type { OciPlatform } from "./types.ts";

/** A platform in the form `os/architecture` or `os/architecture/variant`. */
export type PlatformName = `${string}/${string}`;

const pattern = /^[a-z0-9]+\/[a-z0-9_]+(\/[a-z0-9.]+)?$/;

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
