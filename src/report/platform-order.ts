/** Platforms as people look for them: what most machines are first, relatives side by side. */
const usual: readonly string[] = [
  "linux/amd64",
  "linux/arm64",
  "linux/arm/v7",
  "linux/arm/v6",
  "linux/arm/v5",
  "linux/386",
  "linux/ppc64le",
  "linux/s390x",
  "linux/riscv64",
  "linux/loong64",
  "linux/mips64le",
];

/** Orders platforms for the columns of a table: the usual ones in a fixed order, then the others by name. */
export function comparePlatforms(a: string, b: string): number {
  return rank(a) - rank(b) || (a < b ? -1 : Number(a > b));
}

function rank(platform: string): number {
  const place = usual.indexOf(platform);
  return place === -1 ? usual.length : place;
}
