import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Engine } from "../engine/types.ts";
import type { Emit, Stage } from "../events.ts";
import type { Digest } from "../oci/digest.ts";
import type { PlatformName } from "../oci/platform.ts";
import { run } from "../process/run.ts";
import { type BuildOutput, createSolveStatusReader } from "./solve-status.ts";
import { sourcePolicy } from "./source-policy.ts";

/** One call of `buildx build`, for one platform. */
export interface BuildxRequest {
  readonly stage: Stage;
  readonly platform: PlatformName;
  /** Folder with the Dockerfile; the build's own context. */
  readonly contextFolder: string;
  readonly dockerfile: string;
  /** Named contexts that are local folders. */
  readonly folders: Readonly<Record<string, string>>;
  /** Named contexts that are images in an OCI layout, pinned by digest. */
  readonly images: Readonly<Record<string, { readonly layout: string; readonly digest: Digest }>>;
  readonly buildArgs: Readonly<Record<string, string>>;
  /** A folder that does not exist yet, for an OCI layout of the result; none when only running counts. */
  readonly outputFolder?: string;
  readonly noCache: boolean;
  /** A folder for this call's policy and log. */
  readonly workFolder: string;
  readonly timeoutSeconds: number;
}

/** How a call of buildx ended; `log` is what the build wrote, whole, in a file. */
export interface BuildxResult {
  readonly succeeded: boolean;
  /** It took too long and was stopped. */
  readonly timedOut: boolean;
  readonly seconds: number;
  readonly logFile: string;
  /** The step that failed and what buildx said of it. */
  readonly failure?: { readonly step: string; readonly message: string };
  readonly outputs: readonly BuildOutput[];
  /** Whether every step that could be was taken from BuildKit's cache. */
  readonly stepsRun: number;
}

/**
 * Exporter attributes: one uncompressed layer format whose bytes are the same on every
 * engine (gzip's are not), with times clamped to SOURCE_DATE_EPOCH.
 */
export const exporterAttributes = {
  "rewrite-timestamp": "true",
  "oci-mediatypes": "true",
  compression: "uncompressed",
  "force-compression": "true",
} as const;

/** The argument vector of a request. */
export function buildxArguments(request: BuildxRequest): string[] {
  const output =
    request.outputFolder === undefined
      ? "type=cacheonly"
      : [
          "type=oci",
          `dest=${request.outputFolder}`,
          "tar=false",
          ...Object.entries(exporterAttributes).map(([name, value]) => `${name}=${value}`),
        ].join(",");
  return [
    ...["build", "--progress=rawjson", "--network=none", "--platform", request.platform],
    ...Object.entries(request.folders).flatMap(([name, folder]) => ["--build-context", `${name}=${folder}`]),
    ...Object.entries(request.images).flatMap(([name, image]) => [
      "--build-context",
      `${name}=oci-layout://${image.layout}@${image.digest}`,
    ]),
    ...Object.entries(request.buildArgs).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]),
    ...["--output", output],
    ...(request.noCache ? ["--no-cache"] : []),
    ...["--file", request.dockerfile, request.contextFolder],
  ];
}

/** Begins the lines of a log that tell steps, not output. */
export const stepMark = "# ";

const keptOutputs = 10_000;

/** Runs buildx. A build that fails is a result, not a throw; an interrupt throws. */
export async function runBuildx(
  engine: Engine,
  request: BuildxRequest,
  emit: Emit,
  signal?: AbortSignal,
): Promise<BuildxResult> {
  const policyFile = join(request.workFolder, "policy.json");
  const pinned = Object.entries(request.images).map(([context, image]) => ({ context, digest: image.digest }));
  await writeFile(policyFile, JSON.stringify(sourcePolicy(pinned)));
  const logFile = join(request.workFolder, "build.log");
  const log: string[] = [];
  const plain: string[] = [];
  const outputs: BuildOutput[] = [];
  let stepsRun = 0;
  let lastStep = "buildx";
  let failure: { step: string; message: string } | undefined;
  const { stage, platform } = request;
  const reader = createSolveStatusReader({
    onStep(step) {
      if (step.state === "started") lastStep = step.name;
      if (step.state === "started") emit({ type: "stage-progress", stage, platform, doing: step.name });
      if (step.state === "done" && !step.name.startsWith("[internal]")) stepsRun += 1;
      if (step.state === "failed") failure ??= { step: step.name, message: step.error ?? "" };
      log.push(`${stepMark}${step.state}: ${step.name}${step.error ? `: ${step.error}` : ""}`);
    },
    onOutput(output) {
      if (outputs.length < keptOutputs) outputs.push(output);
      for (const line of output.text.replace(/\n$/, "").split("\n")) {
        log.push(line);
        emit({ type: "build-log", stage, platform, line });
      }
    },
    onPlain(line) {
      plain.push(line);
      log.push(line);
    },
  });
  const { file, args } = engine.buildx;
  const result = await run({
    file,
    args: [...args, ...buildxArguments(request)],
    env: {
      ...engine.env,
      EXPERIMENTAL_BUILDKIT_SOURCE_POLICY: policyFile,
      BUILDX_NO_DEFAULT_ATTESTATIONS: "1",
      BUILDX_METADATA_PROVENANCE: "disabled",
      // a value left in the shell must not reach a build that gets its own
      SOURCE_DATE_EPOCH: undefined,
    },
    timeoutSeconds: request.timeoutSeconds,
    onStderrLine: reader.read,
    ...(signal && { signal }),
  }).finally(() => writeFile(logFile, `${log.join("\n")}\n`));
  const succeeded = result.exitCode === 0 && !result.timedOut;
  if (result.timedOut)
    failure = {
      step: failure?.step ?? lastStep,
      message: `it did not end within ${request.timeoutSeconds} seconds and was stopped`,
    };
  if (!succeeded) failure ??= { step: "buildx", message: plain.slice(-5).join("\n") };
  const { seconds, timedOut } = result;
  return { succeeded, timedOut, seconds, logFile, outputs, stepsRun, ...(failure && !succeeded && { failure }) };
}
