import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { stageBuildContext } from "../../../src/build/context.ts";
import { contextDigestOf, listContext } from "../../../src/plan/context-digest.ts";
import { temporaryFolder } from "../../support/temporary.ts";

async function bothDigests(folder: string, templateFolder?: string): Promise<string[]> {
  const parts = templateFolder === undefined ? {} : { templateFolder };
  const staged = await stageBuildContext(folder, join(await temporaryFolder(), "context"), 1, parts);
  return [contextDigestOf(listContext(folder, templateFolder)), staged];
}

test("the digest is the one that staging gives, whatever lies in the folder", async () => {
  const folder = await temporaryFolder();
  const seen = new Set<string>();
  const step = async (change: () => Promise<unknown>, changes = true): Promise<void> => {
    await change();
    const [ours, staged] = await bothDigests(folder);
    expect(ours).toBe(staged);
    expect(seen.has(ours ?? "")).toBe(!changes);
    seen.add(ours ?? "");
  };
  await step(() => writeFile(join(folder, "Dockerfile"), "FROM scratch\n"));
  await step(() => chmod(join(folder, "Dockerfile"), 0o755));
  await step(() => chmod(join(folder, "Dockerfile"), 0o700), false);
  await step(() => mkdir(join(folder, "patches/a"), { recursive: true }), false);
  await step(() => writeFile(join(folder, "patches/a.patch"), new Uint8Array([0, 255, 10])));
  await step(() => writeFile(join(folder, "patches/a/z"), ""));
  await step(() => writeFile(join(folder, "patches/Ä"), "x"));
  await step(() => writeFile(join(folder, ".hidden"), "x"));
  await step(() => symlink("Dockerfile", join(folder, "link")));
  await step(() => symlink("../nowhere", join(folder, "patches/broken")));
  // a release or the recipe is no part of the context; a folder of that name further down is
  await step(() => writeFile(join(folder, "recipe.yaml"), "x"), false);
  await step(() => mkdir(join(folder, "releases")), false);
  await step(() => writeFile(join(folder, "releases/1.0.yaml"), "x"), false);
  await step(() => mkdir(join(folder, "patches/releases")), false);
  await step(() => writeFile(join(folder, "patches/releases/recipe.yaml"), "x"));
});

test("what is neither a file, a folder nor a link is refused", async () => {
  const folder = await temporaryFolder();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(join(folder, "socket"), resolve));
  expect(() => listContext(folder)).toThrow(/socket in the recipe's folder is neither/);
  await new Promise((resolve) => server.close(resolve));
});

test("files of a template are as if they lay in the recipe's folder, where that has none in their place", async () => {
  const [recipe, template, together] = await Promise.all([temporaryFolder(), temporaryFolder(), temporaryFolder()]);
  const put = async (folder: string, path: string, text: string): Promise<void> => {
    await mkdir(join(folder, path, ".."), { recursive: true });
    await writeFile(join(folder, path), text);
  };
  const both = ["a-b", "a/x", "patches/2", "patches/b/1", "z"];
  for (const path of both) await put(template, path, path);
  for (const path of ["a/y", "patches/1", "patches/b.patch"]) await put(recipe, path, path);
  await put(template, "Dockerfile", "FROM template");
  await put(recipe, "Dockerfile", "FROM recipe");
  for (const path of [...both, "a/y", "patches/1", "patches/b.patch"]) await put(together, path, path);
  await put(together, "Dockerfile", "FROM recipe");
  const [ours, staged] = await bothDigests(recipe, template);
  expect(staged).toBe(ours);
  expect(await bothDigests(together)).toEqual([ours, ours]);
  expect(await bothDigests(together, join(template, "gone"))).toEqual([ours, ours]);
  await put(recipe, "z/folder", "");
  expect(() => listContext(recipe, template)).toThrow(/^z is a file in one and a folder in the other/);
});
