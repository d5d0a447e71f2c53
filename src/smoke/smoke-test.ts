import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runBuildx } from "../build/buildx.ts";
import type { Engine } from "../engine/types.ts";
import type { Emit } from "../events.ts";
import type { Digest } from "../oci/digest.ts";
import type { PlatformName } from "../oci/platform.ts";
import type { Recipe } from "../recipe/schema.ts";
import { clientCommand, clientFolder, clientSucceeded, longestSeconds, serveCommand } from "./serve.ts";

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

/** A root file system that clients of a smoke test come from. */
export interface ClientRoot {
  readonly image: { readonly layout: string; readonly digest: Digest };
  readonly platform: PlatformName;
}

/** What is tested: the image of one platform. */
export interface SmokeRequest {
  readonly commands: Recipe["smoke"];
  readonly version: string;
  readonly platform: PlatformName;
  readonly image: { readonly layout: string; readonly digest: Digest };
  /** By context; undefined is the toolchain, which starts the server where the client is in the image itself. */
  readonly clients: (context: string | undefined) => Promise<ClientRoot>;
  readonly workFolder: string;
}

/**
 * Runs a recipe's smoke commands in the image itself, one after another, with no network
 * but its own loopback and as the image's user, on the builder that built it (emulated
 * where foreign). A command passes with exit code 0 and, when the recipe says what it
 * prints, with that as its whole standard output, white space at the ends aside. Of a
 * server with a client, the client is what has to pass.
 */
export async function smokeTest(
  test: SmokeRequest,
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
    const { command, dockerfile, images } = await stepOf(smoke, test, emulated);
    await writeFile(join(contextFolder, "Dockerfile"), dockerfile);
    const result = await runBuildx(
      engine,
      {
        stage: "smoke",
        platform: test.platform,
        contextFolder,
        dockerfile: join(contextFolder, "Dockerfile"),
        folders: {},
        images: { image: test.image, ...images },
        buildArgs: {},
        noCache: true,
        workFolder: folder,
        timeoutSeconds: longestSeconds(smoke, emulated),
      },
      emit,
      signal,
    );
    const printed = outputOf(result.outputs, "stdout");
    const isInit = "serve" in smoke && smoke.init === true;
    // the exit code of process 1 is the server's: of one that was told to end
    const hasPassed = isInit ? !result.timedOut && printed.startsWith(clientSucceeded) : result.succeeded;
    const stdout = isInit ? printed.slice(clientSucceeded.length).trimStart() : printed;
    const shown = command.join(" ");
    if (!hasPassed) {
      const said = [outputOf(result.outputs, "stderr").slice(-1000).trim(), result.failure?.message]
        .filter(Boolean)
        .join("; ");
      return {
        results,
        failure: `${shown} did not run on ${test.platform}: ${said || (isInit ? "the server ended before the client had succeeded" : "no output")}${emulationHint(said, test.platform)}`,
      };
    }
    const expected = smoke.stdout?.replaceAll("{version}", test.version);
    if (expected !== undefined && stdout.trim() !== expected.trim()) {
      return {
        results,
        failure: `${shown} on ${test.platform} printed "${stdout.trim().slice(0, 500)}", not "${expected}"`,
      };
    }
    results.push({ command, stdout: stdout.slice(0, 10_000), emulated });
  }
  return { results };
}

/** One command as a step of a build; the exec form needs no shell in the image and expands nothing. */
async function stepOf(
  smoke: Recipe["smoke"][number],
  { clients }: SmokeRequest,
  emulated: boolean,
): Promise<{
  readonly command: readonly string[];
  readonly dockerfile: string;
  readonly images: Readonly<Record<string, ClientRoot["image"]>>;
}> {
  if ("run" in smoke && smoke.in === undefined)
    return { command: smoke.run, dockerfile: `FROM image\nRUN ${JSON.stringify(smoke.run)}\n`, images: {} };
  const root = await clients(smoke.in);
  const command =
    "run" in smoke ? clientCommand(smoke.run, root.platform) : serveCommand(smoke, root.platform, emulated);
  const lines = [
    `FROM --platform=${root.platform} clients AS smoke-clients`,
    "FROM image",
    `RUN --mount=type=bind,from=smoke-clients,target=${clientFolder} ${JSON.stringify(command)}`,
  ];
  const shown = "run" in smoke ? smoke.run : [...smoke.serve, "with", ...smoke.client];
  return { command: shown, dockerfile: `${lines.join("\n")}\n`, images: { clients: root.image } };
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
