import type { Digest } from "../oci/digest.ts";
import type { Distribution } from "./os-release.ts";
import { compareText } from "./text.ts";

/** The parts of a package URL. */
interface PurlParts {
  readonly type: string;
  readonly namespace?: string;
  readonly name: string;
  readonly version?: string;
  readonly qualifiers?: Readonly<Record<string, string>>;
}

/** A package URL as purl-spec says one is built: every part encoded, qualifiers sorted, empty ones left out. */
function buildPurl({ type, namespace = "", name, version = "", qualifiers = {} }: PurlParts): string {
  const segments = [...namespace.split("/"), name].filter((segment) => segment !== "").map(encode);
  const pairs = Object.entries(qualifiers)
    .filter(([, value]) => value !== "")
    .map(([key, value]) => `${key}=${encode(value)}`)
    .toSorted(compareText);
  const query = pairs.length > 0 ? `?${pairs.join("&")}` : "";
  return `pkg:${type}/${segments.join("/")}${version === "" ? "" : `@${encode(version)}`}${query}`;
}

/** purl-spec encodes what encodeURIComponent leaves as it is, but for `.-_~`; a colon stays. */
function encode(part: string): string {
  return encodeURIComponent(part.toWellFormed())
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%3A", ":");
}

/** Of a Debian package; `architecture` is `source` for a source package. */
export function debPurl(name: string, version: string, architecture: string, distribution: Distribution): string {
  const { id, label } = distribution;
  const qualifiers = { arch: architecture, distro: label };
  return buildPurl({ type: "deb", namespace: id.toLowerCase(), name: name.toLowerCase(), version, qualifiers });
}

/** Of an apk package. */
export function apkPurl(name: string, version: string, architecture: string, distribution: Distribution): string {
  const { id, label } = distribution;
  const qualifiers = { arch: architecture, distro: label };
  return buildPurl({ type: "apk", namespace: id.toLowerCase(), name: name.toLowerCase(), version, qualifiers });
}

/** Of a Go module; purl-spec wants its path in lower case. */
export function goPurl(module: string, version: string): string {
  const path = module.toLowerCase().replace(/^\/+|\/+$/g, "");
  const slash = path.lastIndexOf("/");
  return buildPurl({
    type: "golang",
    namespace: path.slice(0, Math.max(slash, 0)),
    name: path.slice(slash + 1),
    version,
  });
}

/** Of an image. */
export function ociPurl(name: string, digest: Digest, qualifiers: Readonly<Record<string, string>> = {}): string {
  return buildPurl({ type: "oci", name: name.toLowerCase(), version: digest, qualifiers });
}

/** Of a repository at a commit. */
export function gitPurl(name: string, repository: URL, commit: string): string {
  const github = /^\/([^/]+)\/([^/]+?)(?:\.git)?\/?$/.exec(repository.pathname);
  if (repository.hostname === "github.com" && github?.[1] && github[2]) {
    const [namespace, project] = [github[1].toLowerCase(), github[2].toLowerCase()];
    return buildPurl({ type: "github", namespace, name: decodeURIComponent(project), version: commit });
  }
  return buildPurl({
    type: "generic",
    name,
    version: commit,
    qualifiers: { vcs_url: gitLocation(repository, commit) },
  });
}

/** A repository at a commit as SPDX 2.3 (7.7) and purl-spec write it. */
export function gitLocation(repository: URL, commit: string): string {
  const scheme = repository.protocol === "git:" ? "" : "git+";
  return `${scheme}${repository.href}@${commit}`;
}
