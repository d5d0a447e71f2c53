import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { add, type AddFlags } from "../../../src/commands/add.ts";
import type { CliContext } from "../../../src/commands/context.ts";
import { pin, type PinFlags } from "../../../src/commands/pin.ts";
import { ensureLayout } from "../../../src/oci/layout.ts";
import type { Descriptor } from "../../../src/oci/types.ts";
import { type TestImage, writeImage } from "../../support/images.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const run = promisify(execFile);
const environment = {
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_SYSTEM: "/dev/null",
  GIT_AUTHOR_NAME: "someone",
  GIT_AUTHOR_EMAIL: "someone@example.invalid",
  GIT_COMMITTER_NAME: "someone",
  GIT_COMMITTER_EMAIL: "someone@example.invalid",
  GIT_AUTHOR_DATE: "2020-02-02T02:02:02Z",
  GIT_COMMITTER_DATE: "2020-02-02T02:02:02Z",
};

/** A factory with toolchains and no recipe, a folder for a source and one for images. */
export interface Place {
  readonly folder: string;
  readonly root: string;
  /** Writes a file below the factory's root. */
  write(path: string, text: string): Promise<void>;
  read(path: string): Promise<string>;
}

const digest = `sha256:${"d".repeat(64)}`;
const toolchains: Readonly<Record<string, string>> = {
  "go-1.26": `toolchain: go-1.26\nimage: registry.example/golang:1.26@${digest}\n`,
  "go-1.27": `toolchain: go-1.27\nimage: registry.example/golang:1.27@${digest}\n`,
  pinned: `toolchain: pinned\nimage: registry.example/tools@${digest}\n`,
};

/** Makes a factory in a temporary folder with the toolchains named. */
export async function createPlace(...names: readonly (keyof typeof toolchains)[]): Promise<Place> {
  const folder = await temporaryFolder();
  const root = join(folder, "factory");
  const place: Place = {
    folder,
    root,
    async write(path, text) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), text);
    },
    read: (path) => readFile(join(root, path), "utf8"),
  };
  await mkdir(join(root, "recipes"), { recursive: true });
  for (const name of names) await place.write(`recipes/toolchains/${name}/toolchain.yaml`, toolchains[name] ?? "");
  return place;
}

/** Runs git in a folder. */
export async function git(cwd: string, ...args: readonly string[]): Promise<string> {
  return (await run("git", args, { cwd, env: { ...process.env, ...environment } })).stdout.trim();
}

/** A real repository with one commit of these files, and tags on it. */
export async function createSource(
  { folder }: Place,
  files: Readonly<Record<string, string>>,
  tags: readonly string[],
): Promise<{ readonly url: string; readonly path: string; readonly commit: string }> {
  const path = join(folder, "source");
  await mkdir(path, { recursive: true });
  await git(path, "init", "--quiet", "--initial-branch=main", ".");
  await git(path, "config", "uploadpack.allowAnySHA1InWant", "true");
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), text);
  }
  await git(path, "add", ".");
  await git(path, "commit", "--quiet", "--message", "all of it");
  for (const tag of tags) await git(path, "tag", "--annotate", "--message", tag, tag);
  return { url: `file://${path}`, path, commit: await git(path, "rev-parse", "HEAD") };
}

/** Writes images into a layout under one tag and gives its reference. */
export async function createImage(
  { folder }: Place,
  tag: string,
  ...images: readonly TestImage[]
): Promise<{ readonly reference: string; readonly path: string }> {
  const path = join(folder, "image");
  const layout = await ensureLayout(path);
  const manifests: Descriptor[] = [];
  for (const image of images) {
    const descriptor = await writeImage(layout, image);
    manifests.push({ ...descriptor, platform: { os: "linux", architecture: image.architecture ?? "amd64" } });
  }
  const index = await layout.writeBytes(
    JSON.stringify({ schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests }),
    "application/vnd.oci.image.index.v1+json",
  );
  const entry = { ...index, annotations: { "org.opencontainers.image.ref.name": tag } };
  await writeFile(join(path, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
  return { reference: `oci:${path}:${tag}`, path };
}

/** What a command printed, and how it ended. */
export interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Calls `refoundry add` as the command line does. */
export async function callAdd(place: Place, flags: AddFlags, image: string): Promise<Ended> {
  return withContext(place, (context) => add.call(context, flags, image));
}

/** Calls `refoundry pin` as the command line does. */
export async function callPin(place: Place, flags: PinFlags, ...names: readonly string[]): Promise<Ended> {
  return withContext(place, (context) => pin.call(context, flags, ...names));
}

async function withContext({ folder, root }: Place, work: (context: CliContext) => Promise<void>): Promise<Ended> {
  const said = { stdout: "", stderr: "" };
  const stream = (name: keyof typeof said): unknown => ({
    isTTY: false,
    write(text: string) {
      said[name] += text;
      return true;
    },
  });
  const env = { ...process.env, REFOUNDRY_STORE: join(folder, "store"), REFOUNDRY_CACHE: join(folder, "cache") };
  const faked = { stdout: stream("stdout"), stderr: stream("stderr"), env, exitCode: 0 };
  const context = { process: faked, cwd: root, signal: new AbortController().signal } as unknown as CliContext;
  await work(context);
  return { ...said, exitCode: faked.exitCode };
}
