import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runBuildx } from "../build/buildx.ts";
import type { Engine } from "../engine/types.ts";
import type { Emit } from "../events.ts";
import type { Digest } from "../oci/digest.ts";
import type { PlatformName } from "../oci/platform.ts";
import type { Recipe } from "../recipe/schema.ts";

/** What one command of a smoke test gave. */
export interface SmokeResult {
  readonly command: readonly string[];
  readonly stdout: string;
  readonly emulated: boolean;
}

/** How a smoke test ended; `failure` says which command did what instead. */
export interface SmokeOutcome {
  readonly results: readonly SmokeResult[];
  readonly failure?: string;
}

const smokeSeconds = 120;

/**
 * Runs a recipe's smoke commands in the image itself, one after another, with no network
 * and as the image's user, on the builder that built it (emulated where foreign). A
 * command passes with exit code 0 and, when the recipe says what it prints, with that
 * as its whole standard output, white space at the ends aside.
 */
export async function smokeTest(
  test: {
    readonly commands: Recipe["smoke"];
    readonly version: string;
    readonly platform: PlatformName;
    readonly image: { readonly layout: string; readonly digest: Digest };
    readonly workFolder: string;
  },
  engine: Engine,
  emit: Emit,
  signal?: AbortSignal,
): Promise<SmokeOutcome> {
  const emulated = test.platform !== engine.nativePlatform;
  const results: SmokeResult[] = [];
  for (const [position, smoke] of test.commands.entries()) {
    const folder = join(test.workFolder, String(position));
    const contextFolder = join(folder, "context");
    await mkdir(contextFolder, { recursive: true });
    // the exec form needs no shell in the image and expands nothing
    await writeFile(join(contextFolder, "Dockerfile"), `FROM image\nRUN ${JSON.stringify(smoke.run)}\n`);
    const result = await runBuildx(
      engine,
      {
        stage: "smoke",
        platform: test.platform,
        contextFolder,
        dockerfile: join(contextFolder, "Dockerfile"),
        folders: {},
        images: { image: test.image },
        buildArgs: {},
        noCache: true,
        workFolder: folder,
        timeoutSeconds: smokeSeconds,
      },
      emit,
      signal,
    );
    const stdout = outputOf(result.outputs, "stdout");
    const shown = smoke.run.join(" ");
    if (!result.succeeded) {
      const said = [outputOf(result.outputs, "stderr").slice(-1000).trim(), result.failure?.message]
        .filter(Boolean)
        .join("; ");
      return {
        results,
        failure: `${shown} did not run on ${test.platform}: ${said || "no output"}${emulationHint(said, test.platform)}`,
      };
    }
    const expected = smoke.stdout?.replaceAll("{version}", test.version);
    if (expected !== undefined && stdout.trim() !== expected.trim()) {
      return {
        results,
        failure: `${shown} on ${test.platform} printed "${stdout.trim().slice(0, 500)}", not "${expected}"`,
      };
    }
    results.push({ command: smoke.run, stdout: stdout.slice(0, 10_000), emulated });
  }
  return { results };
}

function outputOf(
  outputs: readonly { readonly stream: string; readonly text: string }[],
  stream: "stdout" | "stderr",
): string {
  return outputs
    .filter((output) => output.stream === stream)
    .map((output) => output.text)
    .join("");
}

/** The kernel's words when it is given a program for another processor and has no emulator. */
function emulationHint(said: string, platform: PlatformName): string {
  if (!/exec format error/i.test(said)) return "";
  return `\nthis engine has no emulation for ${platform}: install qemu-user-static and binfmt-support on its machine, or use a builder that has a native node (REFOUNDRY_BUILDER)`;
}
