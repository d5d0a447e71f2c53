import { describe, expect, test } from "vitest";
import { canBuild } from "../../../src/add/choose-toolchain.ts";
import { proposePlatforms } from "../../../src/add/platforms.ts";
import { parseRefs, revisionOfVersion } from "../../../src/add/remote-refs.ts";
import { addressOfLabel } from "../../../src/add/source-address.ts";
import { tagsOfVersion, versionOfTag } from "../../../src/add/tags.ts";
import { candidatesOf } from "../../../src/rebuild/pin-candidates.ts";
import { type Toolchain, toolchainSchema } from "../../../src/recipe/schema.ts";

const debianC: Toolchain = toolchainSchema.parse({
  toolchain: "debian-c",
  debian: {
    ...{ suite: "trixie", architecture: "amd64", foreign: ["arm64"] },
    packages: ["gcc", "gcc-aarch64-linux-gnu", "gcc-loongarch64-linux-gnu"],
  },
});
const debianGo: Toolchain = toolchainSchema.parse({
  toolchain: "go-1.26",
  debian: { suite: "trixie", architecture: "amd64", packages: ["golang-1.26-go"] },
});

describe("platforms", () => {
  test("are extended to what the toolchain has a compiler for, and upstream does not have", () => {
    expect(proposePlatforms(["linux/amd64"], undefined, debianC, false)).toEqual({
      reproduce: ["linux/amd64"],
      extend: ["linux/arm64", "linux/loong64"],
      cannot: ["linux/arm/v7", "linux/riscv64", "linux/s390x", "linux/ppc64le"],
      unknown: [],
    });
  });

  test("of Go programs without cgo need no compiler, those with cgo do", () => {
    expect(canBuild(debianGo, "linux/s390x", true)).toBe(true);
    expect(canBuild(debianGo, "linux/s390x", false)).toBe(false);
  });
});

describe("tags", () => {
  test.each(["v1.2", "1.2", "release-1.2", "hello-1.2", "hello/v1.2"])("%s is a tag of version 1.2", (tag) => {
    expect(tagsOfVersion("1.2", ["hello"])).toContain(tag);
    expect(versionOfTag(tag, ["hello"])).toBe("1.2");
  });

  test.each(["latest", "vendor", "other-1.2", "v", "1.2/../x"])("%s is a tag of none", (tag) => {
    expect(versionOfTag(tag, ["hello"])).toBeUndefined();
  });

  test("that are annotated are peeled to their commit, and what is malformed is left out", () => {
    const [object, commit] = ["a".repeat(40), "b".repeat(40)];
    const refs = parseRefs(
      `${object}\trefs/tags/v1\n${commit}\trefs/tags/v1^{}\nnot a line\n${commit}\trefs/heads/main\n${commit}\trefs/tags/`,
    );
    expect(revisionOfVersion(refs, "1", [])).toEqual({ commit, tag: "v1" });
    expect(refs.tags.get("v1")).toBe(commit);
  });
});

describe("newer versions", () => {
  const versions = (imageTags: string[], sourceTags: string[], pinned: string[]): string[] =>
    candidatesOf({ imageTags, sourceTags, names: ["hello"], pinned })
      .filter(({ isNewer }) => isNewer)
      .map(({ version }) => version);

  test("are those that source and image both have, newest first", () => {
    const image = ["latest", "1", "1.2", "1.9.0", "1.10.0", "1.10.0-alpine", "2.0.0"];
    expect(versions(image, ["v1.9.0", "v1.10.0", "v1.8.0", "v3.0.0", "hello-2.0.0"], ["1.8.0"])).toEqual([
      "2.0.0",
      "1.10.0",
      "1.9.0",
    ]);
  });

  test("of an older line that is maintained count, those that are older than its newest do not", () => {
    expect(versions(["1.1.7", "1.1.9", "2.0.1"], ["1.1.7", "1.1.9", "2.0.1"], ["1.1.8", "2.0.0"])).toEqual([
      "2.0.1",
      "1.1.9",
    ]);
  });

  test("are no pre-releases, unless the recipe has some", () => {
    const tags = ["2.0.0-rc1", "1.1.0"];
    expect(versions(tags, tags, ["1.0.0"])).toEqual(["1.1.0"]);
    expect(versions(tags, tags, ["1.0.0-rc1", "1.0.0"])).toEqual(["2.0.0-rc1", "1.1.0"]);
  });

  test("are named as upstream's image is tagged, in the recipe's own way where it is tagged twice", () => {
    expect(versions(["v1.1", "1.1"], ["v1.1"], ["1.0"])).toEqual(["1.1"]);
    expect(versions(["v1.1", "1.1"], ["v1.1"], ["v1.0"])).toEqual(["v1.1"]);
    expect(versions(["v1.1"], ["1.1"], ["1.0"])).toEqual(["v1.1"]);
  });
});

describe("the address in an image's label", () => {
  test.each([
    ["https://github.com/a/b", "https://github.com/a/b"],
    ["https://github.com/a/b.git#deadbeef:dir", "https://github.com/a/b.git"],
    ["git+https://git.example/a/b", "https://git.example/a/b"],
    ["https://github.com/a/b/tree/v1.2/docker", "https://github.com/a/b"],
    ["https://gitlab.com/a/b/-/tree/main", "https://gitlab.com/a/b"],
    ["http://github.com/a/b/", "https://github.com/a/b"],
    ["git@github.com:a/b.git", "https://github.com/a/b.git"],
    ["git://github.com/a/b", "https://github.com/a/b"],
  ])("%s is %s", (label, url) => expect(addressOfLabel(label).url).toBe(url));

  test.each([
    "--upload-pack=x",
    "ext::sh -c date",
    "http://git.example/a",
    "https://u:p@git.example/a",
    "file:///etc",
    "ssh://git@intranet.example/a",
    "",
    "\u001b[2J",
  ])("%j is none, and the reason moves no cursor", (label) => {
    const { problem } = addressOfLabel(label);
    expect(problem).toBeDefined();
    expect(problem).not.toMatch(/\p{Cc}/u);
  });
});
