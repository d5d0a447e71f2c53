import { copyFile, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { expect, test } from "vitest";
import { createRecipeTree, type RecipeTree } from "../../support/recipes.ts";
import { temporaryFolder } from "../../support/temporary.ts";

// the command line and the git hook as people run them

const recipe = "recipes/images/tini/recipe.yaml";
const source = "vendor-sources/tini.yaml";
const starter = resolve("scripts/refoundry");

interface Run {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function refoundry(cwd: string, ...args: string[]): Promise<Run> {
  const { exitCode = -1, stdout, stderr } = await execa(starter, ["lint", ...args], { cwd, reject: false });
  return { exitCode, stdout, stderr };
}

test("exit codes, formats and paths of refoundry lint", { timeout: 60_000 }, async () => {
  await using tree = await createRecipeTree();
  expect(await refoundry(tree.root)).toMatchObject({ exitCode: 0, stdout: "no problems" });
  await tree.edit(source, "licence: MIT", "licence: foo");
  expect(await refoundry(tree.root)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("1 warning") });
  await tree.edit(recipe, "owners:", "owner:");
  const all = await refoundry(tree.root, "--format", "github");
  expect(all).toMatchObject({ exitCode: 2, stderr: "" });
  expect(all.stdout).toContain(`::error file=${recipe},line=2,col=1,title=refoundry schema::`);
  expect(await refoundry(tree.root, source)).toMatchObject({ exitCode: 0 });
  expect(JSON.parse((await refoundry(tree.root, "--json", "tini")).stdout)).toMatchObject({ errors: 1, warnings: 0 });
  expect(JSON.parse((await refoundry(tree.root, "--format", "sarif")).stdout)).toMatchObject({ version: "2.1.0" });
  for (const [args, said] of [
    [["--format", "sariff"], 'did you mean "sarif"?'],
    [["--json", "--format", "text"], "are two forms"],
    [["--dry-run"], "refoundry lint --fix --dry-run"],
    [["nowhere"], "nowhere is neither a recipe nor there"],
  ] as const) {
    const refused = await refoundry(tree.root, ...args);
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain(said);
  }
});

test("--fix mends, --dry-run shows what it would", { timeout: 60_000 }, async () => {
  await using tree = await createRecipeTree();
  const full = await tree.edit(source, "licence: MIT\n", "licence: MIT  \n");
  const shown = await refoundry(tree.root, "--fix", "--dry-run");
  expect(shown.stdout).toContain(`--- a/${source}\n+++ b/${source}\n`);
  expect(await readFile(full, "utf8")).toContain("MIT  \n");
  const applied = await temporaryFolder();
  await execa("git", ["-C", applied, "init", "-q"]);
  await writeFile(join(applied, "patch"), `${shown.stdout.slice(0, shown.stdout.lastIndexOf("1 file would"))}`);
  await execa("git", ["-C", tree.root, "apply", "--check", join(applied, "patch")]);
  expect((await refoundry(tree.root, "--fix")).stdout).toContain(`fixed: ${source}: trailing-space`);
  expect(await refoundry(tree.root)).toMatchObject({ exitCode: 0, stdout: "no problems" });
});

test("the git hook looks at what is staged, and at all of it when a file goes", { timeout: 60_000 }, async () => {
  await using tree = await createRecipeTree();
  const git = await repositoryOf(tree);
  expect((await git("commit", "-qm", "begin")).exitCode).toBe(0);

  await tree.edit(source, "licence: MIT", "licence: [");
  await git("add", source);
  await tree.edit(source, "licence: [", "licence: MIT");
  const refused = await git("commit", "-qm", "staged badly");
  expect(refused.exitCode).not.toBe(0);
  expect(refused.stderr).toContain(`error: ${source}:`);
  expect(refused.stderr).not.toContain("refoundry-staged");

  await git("add", source);
  await tree.edit(recipe, "owners:", "owner:");
  await writeFile(join(tree.root, "about.txt"), "about");
  await git("add", "about.txt");
  expect((await git("commit", "-qm", "only beside")).exitCode).toBe(0);

  await git("checkout", "-q", recipe);
  await git("rm", "-q", source);
  const gone = await git("commit", "-qm", "the source goes");
  expect(gone.exitCode).not.toBe(0);
  expect(gone.stderr).toContain('there is no source "tini"');
});

/** A git repository of the tree, everything staged, with the hook. */
async function repositoryOf(tree: RecipeTree): Promise<(...args: string[]) => Promise<Run>> {
  const bin = await temporaryFolder();
  await writeFile(join(bin, "refoundry"), `#!/bin/sh\nexec '${starter}' "$@"\n`, { mode: 0o755 });
  const env = {
    PATH: `${bin}:${process.env["PATH"]}`,
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_SYSTEM: "/dev/null",
    LC_ALL: "C",
  };
  const git = async (...args: string[]): Promise<Run> => {
    const author = ["-c", "user.name=someone", "-c", "user.email=someone@example.invalid"];
    const result = await execa("git", ["-C", tree.root, ...author, ...args], { env, reject: false });
    return { exitCode: result.exitCode ?? -1, stdout: result.stdout, stderr: result.stderr };
  };
  await git("init", "-q");
  await copyFile("scripts/pre-commit", join(tree.root, "hook"));
  await mkdir(join(tree.root, ".git/hooks"), { recursive: true });
  await symlink("../../hook", join(tree.root, ".git/hooks/pre-commit"));
  await git("add", ".");
  return git;
}
