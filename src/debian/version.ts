/**
 * Upstream's version in one of Debian's (deb-version(7)): no epoch, no revision, and none of
 * the marks of a source that Debian packed again (`1.6.20~ds1-1` is `1.6.20`) or that it went
 * back to (`1.20.5+really1.20.2-1` is `1.20.2`).
 */
export function upstreamVersionOf(debianVersion: string): string {
  return debianVersion
    .replace(/^\d+:/, "")
    .replace(/-[^-]*$/, "")
    .replace(/^.*[+~]really/, "")
    .replace(/[+~](ds|dfsg|repack)[0-9.]*$/, "");
}

/** The package of a file on a mirror, from its name (`NAME_VERSION_ARCHITECTURE.deb`). */
export function packageNameOf(path: string): string {
  return (path.split("/").at(-1) ?? path).split("_")[0] ?? path;
}
