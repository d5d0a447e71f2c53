import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { formatProblem, RefoundryError } from "../../../src/errors.ts";
import { canonicalImage, type MirrorFile, readMirrorFile, sourceOf } from "../../../src/mirror/mirror-file.ts";
import { temporaryFolder } from "../../support/temporary.ts";

async function read(text: string): Promise<MirrorFile> {
  const path = join(await temporaryFolder(), "mirror.yaml");
  await writeFile(path, text);
  return readMirrorFile(path);
}

async function problemsOf(text: string): Promise<string[]> {
  const error: unknown = await read(text).then(
    () => undefined,
    (failure: unknown) => failure,
  );
  if (!(error instanceof RefoundryError)) throw new Error(`it should have been refused: ${String(error)}`);
  expect(error.kind).toBe("usage");
  return error.problems.map((problem) => formatProblem(problem).replace(/^.*mirror\.yaml:/, ""));
}

describe("a mirror file", () => {
  test("is read with its defaults", async () => {
    const file = await read(`
requestsPerHour:
  docker.io: 90
mirrors:
  - image: busybox
    tags: ["1.36", "1.36.1"]
    to: library/busybox
  - image: quay.example:5000/team/app
    match: { range: ">=1 <2", newest: 3 }
    platforms: [linux/amd64, linux/arm64]
    referrers: false
    to: app
`);
    expect(file.requestsPerHour).toEqual({ "docker.io": 90 });
    expect(file.mirrors[0]).toEqual({
      image: "busybox",
      tags: ["1.36", "1.36.1"],
      platforms: "all",
      to: "library/busybox",
      referrers: true,
    });
    expect(file.mirrors[1]).toMatchObject({ tags: [], match: { newest: 3 }, referrers: false });
    expect(file.mirrors.map(({ image }) => canonicalImage(image))).toEqual([
      "docker.io/library/busybox",
      "quay.example:5000/team/app",
    ]);
    expect(sourceOf({ image: "busybox" })).toMatchObject({ host: "docker.io", repository: "library/busybox" });
  });

  test("says all that is wrong, each at its place", async () => {
    const problems = await problemsOf(`requestsPerHour:
  index.docker.io: 90
mirrors:
  - image: busybox:1.36
    tags: [1.36, "-x", "a", "a"]
    to: Busybox
  - image: oci:folder
    match: { range: "^1", pattern: "(" }
    platforms: [linux]
    refferers: true
    to: b
`);
    expect(problems.map((problem) => problem.split("\n")[0])).toEqual([
      expect.stringMatching(/^2:3: .*index\.docker\.io.*must be a registry's host/),
      expect.stringMatching(/^4:12: mirrors\[0\]\.image: .*without a tag or digest/),
      expect.stringMatching(/^5:12: mirrors\[0\]\.tags\[0\]: .*text/),
      expect.stringMatching(/^5:18: mirrors\[0\]\.tags\[1\]: .*must be a tag/),
      expect.stringMatching(/^6:9: mirrors\[0\]\.to: .*must be a repository's name/),
      expect.stringMatching(/^7:12: mirrors\[1\]\.image: .*in a registry/),
      expect.stringMatching(/^8:21: mirrors\[1\]\.match\.range: .*has "\^1", which is no condition/),
      expect.stringMatching(/^8:36: mirrors\[1\]\.match\.pattern: .*not a regular expression/),
      expect.stringMatching(/^9:17: mirrors\[1\]\.platforms\[0\]: .*os\/architecture/),
      expect.stringMatching(/^10:5: .*unknown key "refferers"/),
    ]);
    expect(problems.at(-1)).toMatch(/did you mean "referrers"/);
  });

  test("refuses what would overwrite itself, or says nothing", async () => {
    const entry = (image: string, to: string, more = 'tags: ["1"]'): string =>
      `  - { image: ${image}, ${more}, to: ${to} }\n`;
    expect(await problemsOf(`mirrors:\n${entry("a", "x")}${entry("b", "x")}`)).toEqual([
      expect.stringMatching(/^3:\d+: mirrors\[1\]\.to: .*is where a goes already/),
    ]);
    expect(await problemsOf(`mirrors:\n${entry("a", "x")}${entry("docker.io/library/a", "y")}`)).toEqual([
      expect.stringMatching(/^3:\d+: mirrors\[1\]\.image: .*is listed twice/),
    ]);
    expect(await problemsOf(`mirrors:\n${entry("a", "x", "tags: []")}`)).toEqual([
      expect.stringMatching(/^2:\d+: mirrors\[0\]: .*names no tags/),
    ]);
    expect(await problemsOf("mirrors: []\n")).toEqual([expect.stringMatching(/^1:10: mirrors: needs at least 1 item/)]);
    expect(await problemsOf("mirrors:\n  - image: [\n")).toHaveLength(1);
  });

  test("that is not there is said", async () => {
    await expect(readMirrorFile(join(await temporaryFolder(), "mirror.yaml"))).rejects.toThrow(
      /mirror\.yaml: there is no such file/,
    );
  });
});
