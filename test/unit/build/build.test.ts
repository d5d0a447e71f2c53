import { chmod, mkdir, readFile, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { buildxArguments } from "../../../src/build/buildx.ts";
import { stageBuildContext } from "../../../src/build/context.ts";
import { type BuildOutput, type BuildStep, createSolveStatusReader } from "../../../src/build/solve-status.ts";
import { sourcePolicy } from "../../../src/build/source-policy.ts";
import { digestOf } from "../../../src/oci/digest.ts";
import { temporaryFolder } from "../../support/temporary.ts";

function read(lines: readonly string[]): { steps: BuildStep[]; outputs: BuildOutput[]; plain: string[] } {
  const seen = { steps: [] as BuildStep[], outputs: [] as BuildOutput[], plain: [] as string[] };
  const reader = createSolveStatusReader({
    onStep: (step) => seen.steps.push(step),
    onOutput: (output) => seen.outputs.push(output),
    onPlain: (line) => seen.plain.push(line),
  });
  for (const line of lines) reader.read(line);
  return seen;
}

test("BuildKit's status becomes steps told once for each state, and output with its step's name", () => {
  const vertex = { digest: "sha256:a", name: "[build 2/2] RUN make" };
  const { steps, outputs } = read([
    JSON.stringify({ vertexes: [{ ...vertex, started: "2026-01-01T00:00:00Z" }] }),
    JSON.stringify({ vertexes: [{ ...vertex, started: "2026-01-01T00:00:00Z" }] }),
    JSON.stringify({ logs: [{ vertex: "sha256:a", stream: 2, data: Buffer.from("warning: x\n").toString("base64") }] }),
    JSON.stringify({ vertexes: [{ digest: "sha256:a", started: "s", completed: "c", error: "exit code: 2" }] }),
  ]);
  expect(steps).toEqual([
    { name: vertex.name, state: "started" },
    { name: vertex.name, state: "failed", error: "exit code: 2" },
  ]);
  expect(outputs).toEqual([{ step: vertex.name, stream: "stderr", text: "warning: x\n" }]);
});

test("what is no status is kept as plain text, and no line can break the reader", () => {
  const { steps, plain } = read([
    "ERROR: failed to solve",
    "",
    "{ not json",
    '{"vertexes": 3}',
    '{"vertexes":[{"digest":1}]}',
  ]);
  expect(steps).toEqual([]);
  expect(plain).toEqual(["ERROR: failed to solve", "{ not json", '{"vertexes": 3}', '{"vertexes":[{"digest":1}]}']);
});

test("the source policy denies first and allows exactly the pinned digests", () => {
  const digest = digestOf("toolchain");
  expect(
    sourcePolicy([{ context: "toolchain", digest }]).rules.map((rule) => [
      rule.action,
      rule.selector.identifier,
      rule.selector.matchType,
    ]),
  ).toEqual([
    ["DENY", "*", "WILDCARD"],
    ["ALLOW", "local://*", "WILDCARD"],
    ["ALLOW", `oci-layout://docker.io/library/toolchain@${digest}`, "EXACT"],
  ]);
});

test("a build has no network, an uncompressed OCI layout as output, and contexts pinned by digest", () => {
  const digest = digestOf("toolchain");
  const args = buildxArguments({
    stage: "build",
    platform: "linux/arm64",
    contextFolder: "/c",
    dockerfile: "/c/Dockerfile",
    folders: { src: "/s" },
    images: {
      toolchain: {
        layout: "/l",
        digest,
      },
    },
    buildArgs: { SOURCE_DATE_EPOCH: "5" },
    outputFolder: "/o",
    noCache: true,
    workFolder: "/w",
    timeoutSeconds: 1,
  });
  expect(args).toEqual([
    ...["build", "--progress=rawjson", "--network=none", "--platform", "linux/arm64", "--build-context", "src=/s"],
    ...["--build-context", `toolchain=oci-layout:///l@${digest}`, "--build-arg", "SOURCE_DATE_EPOCH=5", "--output"],
    "type=oci,dest=/o,tar=false,rewrite-timestamp=true,oci-mediatypes=true,compression=uncompressed,force-compression=true",
    ...["--no-cache", "--file", "/c/Dockerfile", "/c"],
  ]);
});

async function recipeFolder(): Promise<string> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "Dockerfile"), "FROM scratch\n");
  await writeFile(join(folder, "recipe.yaml"), "image: x\n");
  await mkdir(join(folder, "releases"));
  await mkdir(join(folder, "patches"));
  await writeFile(join(folder, "patches/a.patch"), "--- a\n");
  await symlink("a.patch", join(folder, "patches/latest"));
  return folder;
}

test("the build context leaves the recipe and its releases out, and every time is the epoch", async () => {
  const recipe = await recipeFolder();
  const staged = join(await temporaryFolder(), "context");
  const digest = await stageBuildContext(recipe, staged, 1_000_000_000);
  await expect(stat(join(staged, "recipe.yaml"))).rejects.toThrow();
  await expect(stat(join(staged, "releases"))).rejects.toThrow();
  expect((await stat(join(staged, "patches"))).mtimeMs).toBe(1_000_000_000_000);
  expect(await readFile(join(staged, "patches/latest"), "utf8")).toBe("--- a\n");
  // times, and what is not part of the build, do not change the digest
  await utimes(join(recipe, "Dockerfile"), 5, 5);
  await writeFile(join(recipe, "recipe.yaml"), "image: y\n");
  expect(await stageBuildContext(recipe, join(await temporaryFolder(), "c"), 7)).toBe(digest);
});

test.each([
  ["content", (folder: string) => writeFile(join(folder, "patches/a.patch"), "--- b\n")],
  ["the executable bit", (folder: string) => chmod(join(folder, "patches/a.patch"), 0o755)],
  ["a new file", (folder: string) => writeFile(join(folder, "patches/b.patch"), "")],
])("%s changes the context's digest", async (_, change) => {
  const recipe = await recipeFolder();
  const before = await stageBuildContext(recipe, join(await temporaryFolder(), "c"), 7);
  await change(recipe);
  expect(await stageBuildContext(recipe, join(await temporaryFolder(), "c"), 7)).not.toBe(before);
});
