import { usageError } from "../errors.ts";
import { type Digest, isDigest } from "./digest.ts";

/** An image in a registry. `host` is `docker.io` for Docker Hub; `repository` has no host. */
export interface RegistryReference {
  readonly kind: "registry";
  /** Host name or address, with `:port` where one was given. */
  readonly host: string;
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

/** An OCI image layout folder; at most one of `tag` and `digest`. */
export interface LayoutReference {
  readonly kind: "oci";
  readonly path: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

/** An OCI image layout in a tar archive. */
export interface LayoutArchiveReference {
  readonly kind: "oci-archive";
  readonly path: string;
  readonly tag?: string;
}

/** What `docker save` writes; at most one of `image` and `index`. */
export interface DockerArchiveReference {
  readonly kind: "docker-archive";
  readonly path: string;
  /** The image's name in its full form: `docker.io/library/app:1.0`. */
  readonly image?: string;
  /** The image's position in the archive, from 0. */
  readonly index?: number;
}

/** Where an image is, as containers-transports(5) names it. */
export type Reference = RegistryReference | LayoutReference | LayoutArchiveReference | DockerArchiveReference;

const maxLength = 4096;
const maxNameLength = 255;
// distribution-spec, "Pulling manifests": <name> and <reference>
const repositoryPattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const tagPattern = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const hostPattern =
  /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:]+\])(?::([0-9]{1,5}))?$/;
const forms =
  "write HOST/NAME[:TAG][@sha256:...], docker://..., oci:PATH[:TAG|@sha256:...], oci-archive:FILE[:TAG] or docker-archive:FILE[:NAME[:TAG]|:@INDEX]";
const unsupported = ["docker-daemon:", "containers-storage:", "dir:"];

/** Whether a text is a tag (distribution-spec, `<reference>` as a tag). */
export function isTag(text: string): boolean {
  return tagPattern.test(text);
}

/** Whether a text is a repository's name without its host (distribution-spec, `<name>`). */
export function isRepositoryName(text: string): boolean {
  return text.length <= maxNameLength && repositoryPattern.test(text);
}

/**
 * Parses an image's name: `oci:PATH[:TAG|@DIGEST]`, `oci-archive:FILE[:TAG]`,
 * `docker-archive:FILE[:NAME[:TAG]|:@INDEX]`, where the file's path ends at the first
 * colon, `docker://REF`, or a bare registry reference, where short names are Docker Hub's
 * (`alpine` is `docker.io/library/alpine`). No tag is made up.
 * Throws a usage error that says what was expected.
 */
export function parseReference(text: string): Reference {
  if (text.length > maxLength)
    throw usageError(`an image reference has ${text.length} characters; at most ${maxLength} are read`);
  if (/\p{Cc}/u.test(text)) throw malformed(text, "it holds control characters");
  if (text.startsWith("oci:")) return parseLayout(text, text.slice("oci:".length));
  if (text.startsWith("oci-archive:")) {
    const { path, tag } = splitTag(text, text.slice("oci-archive:".length));
    return { kind: "oci-archive", path, ...(tag !== undefined && { tag }) };
  }
  if (text.startsWith("docker-archive:")) return parseDockerArchive(text, text.slice("docker-archive:".length));
  const transport = unsupported.find((prefix) => text.startsWith(prefix));
  if (transport !== undefined) throw malformed(text, `${transport} is not supported`);
  if (text.startsWith("docker://")) return parseRegistry(text, text.slice("docker://".length));
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) throw malformed(text, "an image reference is not a URL");
  return parseRegistry(text, text);
}

/** The reference in its full form, which parses to the same reference. */
export function formatReference(reference: Reference): string {
  switch (reference.kind) {
    case "registry":
      return `${reference.host}/${reference.repository}${suffix(reference)}`;
    case "oci":
      return `oci:${reference.path}${suffix(reference)}`;
    case "oci-archive":
      return `oci-archive:${reference.path}${suffix(reference)}`;
    case "docker-archive":
      return `docker-archive:${reference.path}${imageSuffix(reference)}`;
  }
}

function suffix({ tag, digest }: { readonly tag?: string; readonly digest?: Digest }): string {
  return (tag === undefined ? "" : `:${tag}`) + (digest === undefined ? "" : `@${digest}`);
}

function imageSuffix({ image, index }: DockerArchiveReference): string {
  if (image !== undefined) return `:${image}`;
  return index === undefined ? "" : `:@${index}`;
}

function malformed(text: string, reason: string): Error {
  return usageError(`"${JSON.stringify(text).slice(1, -1)}" is not an image reference: ${reason}`, { hint: forms });
}

function parseLayout(text: string, rest: string): LayoutReference {
  const at = rest.lastIndexOf("@sha256:");
  // an "@sha256:" before a slash is part of a folder's name
  const isSuffix = at >= 0 && !rest.slice(at).includes("/");
  if (!isSuffix) {
    const { path, tag } = splitTag(text, rest);
    return { kind: "oci", path, ...(tag !== undefined && { tag }) };
  }
  const digest = parseDigest(text, rest.slice(at + 1));
  const { path, tag } = splitTag(text, rest.slice(0, at));
  if (tag !== undefined) throw malformed(text, "a layout is asked by tag or by digest, not both");
  return { kind: "oci", path, digest };
}

/** containers-transports(5), docker-archive: a name has colons of its own, so the path can have none. */
function parseDockerArchive(text: string, rest: string): DockerArchiveReference {
  const colon = rest.indexOf(":");
  const path = colon < 0 ? rest : rest.slice(0, colon);
  if (path === "") throw malformed(text, "it names no file");
  if (colon < 0) return { kind: "docker-archive", path };
  const named = rest.slice(colon + 1);
  if (named === "") throw malformed(text, "nothing follows the colon, where an image's name or @INDEX was expected");
  if (named.startsWith("@")) {
    if (!/^@[0-9]{1,6}$/.test(named))
      throw malformed(text, `"${named}" is not an image's position in the archive: @0, @1, ...`);
    return { kind: "docker-archive", path, index: Number(named.slice(1)) };
  }
  const image = parseRegistry(text, named);
  if (image.digest !== undefined) throw malformed(text, "such an archive knows images by name and tag, not by digest");
  return { kind: "docker-archive", path, image: formatReference(image) };
}

/** Cuts the tag off at the last colon after the last slash. */
function splitTag(text: string, rest: string): { readonly path: string; readonly tag?: string } {
  const colon = rest.lastIndexOf(":");
  const tagged = colon > rest.lastIndexOf("/");
  const path = tagged ? rest.slice(0, colon) : rest;
  if (path === "") throw malformed(text, "it names no path");
  return tagged ? { path, tag: parseTag(text, rest.slice(colon + 1)) } : { path };
}

function parseTag(text: string, tag: string): string {
  if (tag === "") throw malformed(text, "nothing follows the colon, where a tag was expected");
  if (!isTag(tag))
    throw malformed(
      text,
      `the tag "${tag}" is not up to 128 letters, digits, "_", "." and "-", starting with neither "." nor "-"`,
    );
  return tag;
}

function parseDigest(text: string, digest: string): Digest {
  if (isDigest(digest)) return digest;
  const reason = digest.startsWith("sha256:")
    ? "a sha256 digest has 64 lower-case hex digits"
    : "only sha256 digests are accepted";
  throw malformed(text, `"@${digest}": ${reason}`);
}

function parseRegistry(text: string, rest: string): RegistryReference {
  if (rest === "") throw malformed(text, "it is empty");
  const [named = "", digestText, ...more] = rest.split("@");
  if (more.length > 0) throw malformed(text, 'it has more than one "@"');
  const digest = digestText === undefined ? undefined : parseDigest(text, digestText);
  const colon = named.indexOf(":", named.lastIndexOf("/") + 1);
  const tag = colon < 0 ? undefined : parseTag(text, named.slice(colon + 1));
  const { host, repository } = splitHost(text, colon < 0 ? named : named.slice(0, colon));
  return {
    kind: "registry",
    host,
    repository,
    ...(tag !== undefined && { tag }),
    ...(digest !== undefined && { digest }),
  };
}

/** As Docker does it: the first component is a host if it looks like one, and else Docker Hub is meant. */
function splitHost(text: string, name: string): { readonly host: string; readonly repository: string } {
  const slash = name.indexOf("/");
  const first = name.slice(0, Math.max(slash, 0));
  const isHost = slash >= 0 && (/[.:]/.test(first) || first.toLowerCase() === "localhost");
  if (!isHost) {
    checkName(text, name);
    return { host: "docker.io", repository: slash < 0 ? `library/${name}` : name };
  }
  const host = first.toLowerCase();
  const port = hostPattern.exec(host)?.[1];
  if (!hostPattern.test(host) || !URL.canParse(`https://${host}`) || Number(port ?? 1) < 1) {
    throw malformed(text, `"${first}" is not a registry's HOST or HOST:PORT`);
  }
  const repository = name.slice(slash + 1);
  checkName(text, repository);
  if (host !== "docker.io" && host !== "index.docker.io") return { host, repository };
  return { host: "docker.io", repository: repository.includes("/") ? repository : `library/${repository}` };
}

function checkName(text: string, name: string): void {
  if (name === "") throw malformed(text, "it names no repository");
  if (/^[0-9a-f]{64}$/.test(name)) throw malformed(text, "an image's ID is not a reference");
  if (isRepositoryName(name)) return;
  if (isRepositoryName(name.toLowerCase()))
    throw malformed(text, `repository names are lower case, and "${name}" is not`);
  if (name.length > maxNameLength) throw malformed(text, `a repository's name has at most ${maxNameLength} characters`);
  throw malformed(
    text,
    `"${name}" is not a repository's name: lower-case letters and digits, in components divided by "/", with single ".", "_" or "-" inside`,
  );
}
