import { dirname } from "node:path";
import { lastLines, run } from "../process/run.ts";

/**
 * Applies a unified diff (paths with one folder to strip) to the files of a folder, all of
 * it or nothing. git refuses paths that lead out of the folder, also through links. Gives
 * what git says when it does not apply; undefined when it was applied.
 */
export async function applyPatch(folder: string, patch: string, signal?: AbortSignal): Promise<string | undefined> {
  const result = await run({
    file: "git",
    args: ["apply", "--whitespace=nowarn", "-p1", "--", patch],
    cwd: folder,
    env: {
      // a repository further up would be taken for the one to patch, and nothing would be done
      GIT_CEILING_DIRECTORIES: dirname(folder),
      GIT_DIR: undefined,
      GIT_WORK_TREE: undefined,
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_CONFIG_SYSTEM: "/dev/null",
      LC_ALL: "C",
    },
    timeoutSeconds: 600,
    ...(signal && { signal }),
  });
  if (result.exitCode === 0) return undefined;
  return lastLines(result.stderr || result.stdout, 5) || `git apply ended with exit code ${result.exitCode}`;
}
