import { formatLocation } from "../errors.ts";
import { type PlatformName, parsePlatform, platformName } from "../oci/platform.ts";
import type { LocatedDocument } from "./document.ts";
import type { Report } from "./lint-rules.ts";
import type { Recipe, Release } from "./schema.ts";
import { didYouMean, quoted } from "./words.ts";

/** Platforms that images are made for: what Go can build (go tool dist list) with the image-spec's variants. */
const known: ReadonlySet<string> = new Set(
  `darwin/amd64 darwin/arm64 freebsd/386 freebsd/amd64 freebsd/arm freebsd/arm64 freebsd/riscv64
  linux/386 linux/amd64 linux/amd64/v2 linux/amd64/v3 linux/amd64/v4 linux/arm linux/arm/v5 linux/arm/v6 linux/arm/v7
  linux/arm64 linux/loong64 linux/mips linux/mips64 linux/mips64le linux/mipsle linux/ppc64 linux/ppc64le
  linux/riscv64 linux/s390x linux/sparc64 netbsd/amd64 openbsd/amd64 wasi/wasm wasip1/wasm windows/386
  windows/amd64 windows/arm64`.split(/\s+/),
);

/** Tells of platforms in a recipe that are well formed but that nobody makes images for. */
export function checkPlatformNames(recipe: LocatedDocument<Recipe>, report: Report): void {
  for (const part of ["reproduce", "extend"] as const) {
    for (const [index, name] of recipe.value.platforms[part].entries()) {
      if (known.has(name)) continue;
      const location = recipe.locate(["platforms", part, index]);
      const short = platformName(parsePlatform(name));
      const hint = short === name ? (didYouMean(name, [...known]) ?? "check its spelling") : `write ${short}`;
      const message =
        short === name
          ? `${quoted(name)} is no platform that images are made for`
          : `${quoted(name)} is ${short}, and indexes call it that`;
      report("platform-unknown", { message, location, hint });
    }
  }
}

/** Tells of digests that a release expects of platforms which its recipe does not build. */
export function checkExpected(
  recipe: LocatedDocument<Recipe>,
  release: LocatedDocument<Release>,
  report: Report,
): void {
  const { expect } = release.value;
  if (!expect) return;
  const { reproduce, extend } = recipe.value.platforms;
  const hint = `record them anew: refoundry rebuild ${recipe.value.image}@${release.value.version} --record`;
  for (const name of Object.keys(expect.platforms) as PlatformName[]) {
    if (reproduce.includes(name) || extend.includes(name)) continue;
    const place = formatLocation(recipe.locate(["platforms"], "key"));
    const location = release.locate(["expect", "platforms", name], "key");
    report("platform-expected", {
      message: `expect.platforms has ${name}, which the recipe does not build (${place})`,
      location,
      hint,
    });
  }
}
