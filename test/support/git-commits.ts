import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";

/** A repository of one commit: files by path, and submodules by path with what `.gitmodules` says of them. */
export async function commitOf(
  path: string,
  files: Readonly<Record<string, string>>,
  modules: Readonly<Record<string, { readonly url: string; readonly commit: string }>> = {},
): Promise<{ readonly commit: string; readonly tree: string }> {
  await mkdir(path, { recursive: true });
  const git = async (...args: string[]): Promise<string> =>
    (await execa("git", ["-c", "user.name=x", "-c", "user.email=x@example.invalid", ...args], { cwd: path })).stdout;
  await git("init", "--quiet", "--initial-branch=main", ".");
  await git("config", "uploadpack.allowAnySHA1InWant", "true");
  const named = Object.entries(modules).map(([at, { url }]) => `[submodule "${at}"]\n\tpath = ${at}\n\turl = ${url}\n`);
  const all = { ...files, ...(named.length > 0 && { ".gitmodules": named.join("") }) };
  for (const [name, text] of Object.entries(all)) await writeFile(join(path, name), text);
  await git("add", ".");
  for (const [at, { commit }] of Object.entries(modules))
    await git("update-index", "--add", "--cacheinfo", `160000,${commit},${at}`);
  await git("commit", "--quiet", "-m", "one");
  return { commit: await git("rev-parse", "HEAD"), tree: await git("rev-parse", "HEAD^{tree}") };
}
