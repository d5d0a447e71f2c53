import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RefoundryError } from "../../../src/errors.ts";
import { digestOf } from "../../../src/oci/digest.ts";
import { formatReference, parseReference } from "../../../src/oci/reference.ts";

const digest = digestOf("x");

describe("what is accepted", () => {
  test.each([
    ["alpine", { kind: "registry", host: "docker.io", repository: "library/alpine" }],
    ["alpine:3.20", { kind: "registry", host: "docker.io", repository: "library/alpine", tag: "3.20" }],
    ["docker:dind", { kind: "registry", host: "docker.io", repository: "library/docker", tag: "dind" }],
    ["library/x", { kind: "registry", host: "docker.io", repository: "library/x" }],
    ["index.docker.io/x", { kind: "registry", host: "docker.io", repository: "library/x" }],
    ["docker.io/team/x", { kind: "registry", host: "docker.io", repository: "team/x" }],
    ["docker://registry.example/a/b:1", { kind: "registry", host: "registry.example", repository: "a/b", tag: "1" }],
    ["Registry.Example/a", { kind: "registry", host: "registry.example", repository: "a" }],
    ["localhost/a", { kind: "registry", host: "localhost", repository: "a" }],
    ["localhost:5000/a__b/c-d--e", { kind: "registry", host: "localhost:5000", repository: "a__b/c-d--e" }],
    ["[::1]:5000/a", { kind: "registry", host: "[::1]:5000", repository: "a" }],
    [`r.example:443/a:1@${digest}`, { kind: "registry", host: "r.example:443", repository: "a", tag: "1", digest }],
    ["oci:/tmp/a", { kind: "oci", path: "/tmp/a" }],
    ["oci:a:v1", { kind: "oci", path: "a", tag: "v1" }],
    ["oci:./a:b/c", { kind: "oci", path: "./a:b/c" }],
    ["oci:/with:colon/a:b:v1", { kind: "oci", path: "/with:colon/a:b", tag: "v1" }],
    [`oci:a@${digest}`, { kind: "oci", path: "a", digest }],
    ["oci:/x@sha256:y/a", { kind: "oci", path: "/x@sha256:y/a" }],
    ["oci-archive:a.tar:v1", { kind: "oci-archive", path: "a.tar", tag: "v1" }],
    ["docker-archive:/a.tar", { kind: "docker-archive", path: "/a.tar" }],
  ])("%s", (text, reference) => {
    expect(parseReference(text)).toEqual(reference);
    expect(parseReference(formatReference(parseReference(text)))).toEqual(reference);
  });
});

describe("what is refused, and why", () => {
  test.each([
    ["", "it is empty"],
    ["docker://", "it is empty"],
    ["https://registry.example/a", "not a URL"],
    ["docker-daemon:alpine", "docker-daemon: is not supported"],
    ["Alpine", "lower case"],
    ["registry.example/", "names no repository"],
    ["registry.example/a//b", "is not a repository's name"],
    ["registry.example/../a", "is not a repository's name"],
    ["registry.example/a?x", "is not a repository's name"],
    ["registry.example/a#x", "is not a repository's name"],
    ["user@registry.example/a", "only sha256 digests are accepted"],
    ["registry.example:0/a", "not a registry's HOST"],
    ["registry.example:99999/a", "not a registry's HOST"],
    ["reg_istry.example/a", "not a registry's HOST"],
    ["a:", "nothing follows the colon"],
    ["a:.b", 'the tag ".b"'],
    [`a:${"b".repeat(129)}`, "up to 128"],
    ["a@sha256:abc", "64 lower-case hex digits"],
    [`a@sha512:${"0".repeat(128)}`, "only sha256"],
    [`a@${digest}@${digest}`, 'more than one "@"'],
    ["0".repeat(64), "image's ID"],
    ["a".repeat(256), "at most 255"],
    ["a\nb", "control characters"],
    ["oci:", "names no path"],
    ["oci::v1", "names no path"],
    ["oci:a:", "nothing follows the colon"],
    ["oci:a@sha256:abc", "64 lower-case hex digits"],
    [`oci:a:v1@${digest}`, "not both"],
    ["docker-archive:", "names no file"],
    ["a".repeat(5000), "5000 characters"],
  ])("%s", (text, reason) => {
    expect(() => parseReference(text)).toThrow(RefoundryError);
    expect(() => parseReference(text)).toThrow(reason);
  });
});

test("any text is either refused as a usage error or comes back the same from its full form", () => {
  const word = fc.constantFrom(
    "a",
    "b.c",
    ":",
    "/",
    "@",
    "oci:",
    "docker://",
    "sha256:",
    digest,
    "localhost",
    "1",
    "..",
    "-",
    "_",
    "[::1]",
    "A",
    "\u0000",
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(word, { maxLength: 8 }).map((words) => words.join("")),
  );
  fc.assert(
    fc.property(text, (input) => {
      let reference;
      try {
        reference = parseReference(input);
      } catch (error) {
        expect(error).toMatchObject({ kind: "usage" });
        return;
      }
      expect(parseReference(formatReference(reference))).toEqual(reference);
    }),
    { numRuns: 2000 },
  );
});
