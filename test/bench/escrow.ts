// How much ten releases on one toolchain take in an escrow, and how long it takes to put them
// there: each in turn, then all once more, which must send nothing. The toolchain is one of the
// factory's own; what it is made of comes from the store, or is fetched first.
// Run with npm run bench:escrow [RELEASES] [TOOLCHAIN].
import { cp, mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";

const [count = "10", toolchain = "go-1.27"] = process.argv.slice(2);
const root = new URL("../..", import.meta.url).pathname;
const folder = await mkdtemp(join(tmpdir(), "refoundry-bench-escrow-"));
const factory = join(folder, "factory");
const upstream = join(folder, "upstream");
const versions = Array.from({ length: Number(count) }, (_, index) => `1.${index}`);

interface Vendored {
  readonly bytes: number;
  readonly bytesSent: number;
  readonly blobsSent: number;
  readonly missing: readonly unknown[];
}

async function refoundry(...args: string[]): Promise<{ readonly releases: readonly Vendored[] }> {
  const { stdout } = await execa(process.execPath, [join(root, "src/cli.ts"), ...args, "--json"], {
    cwd: factory,
    stderr: "inherit",
    maxBuffer: 1e9,
  });
  return JSON.parse(stdout) as { readonly releases: readonly Vendored[] };
}

async function git(...args: string[]): Promise<void> {
  const author = ["-c", "user.name=bench", "-c", "user.email=bench@example.invalid"];
  await execa("git", [...author, ...args], { cwd: upstream, env: { GIT_CONFIG_GLOBAL: "/dev/null" } });
}

async function createFactory(): Promise<void> {
  await mkdir(upstream, { recursive: true });
  await git("init", "--quiet", "--initial-branch=main", ".");
  await git("config", "uploadpack.allowAnySHA1InWant", "true");
  for (const version of versions) {
    await writeFile(join(upstream, "motd"), `hello ${version}\n`.repeat(1000));
    await git("add", ".");
    await git("commit", "--quiet", "-m", version);
    await git("tag", `v${version}`);
  }
  const recipe = join(factory, "recipes/images/hello");
  await mkdir(join(recipe, "releases"), { recursive: true });
  await mkdir(join(factory, "vendor-sources"), { recursive: true });
  await cp(join(root, "recipes/toolchains", toolchain), join(factory, "recipes/toolchains", toolchain), {
    recursive: true,
  });
  await writeFile(
    join(factory, "vendor-sources/hello.yaml"),
    `source: hello\nlicence: MIT\nupstream: file://${upstream}\nimport:\n  kind: git\n`,
  );
  await writeFile(join(recipe, "Dockerfile"), "FROM toolchain AS build\nFROM scratch\nCOPY --from=src . /\n");
  await writeFile(
    join(recipe, "recipe.yaml"),
    `image: hello
owners: [bench]
source: hello
toolchain: ${toolchain}
upstream:
  none: made up for a measurement
build:
  network: none
platforms:
  reproduce: []
  extend: [linux/amd64]
smoke:
  - run: [/motd]
`,
  );
}

async function bytesBelow(path: string): Promise<number> {
  const entries = (await readdir(path, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const sizes = await Promise.all(entries.map(async (entry) => (await stat(join(entry.parentPath, entry.name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
const row = (...cells: string[]): void =>
  void process.stdout.write(
    `${cells.map((cell, column) => (column === 0 ? cell.padEnd(12) : cell.padStart(14))).join("")}\n`,
  );

try {
  await createFactory();
  for (const version of versions) await refoundry("pin", "hello", version);
  const escrow = join(folder, "escrow");
  row("release", "stands on", "sent", "pieces sent", "escrow", "seconds");
  const rows: Vendored[] = [];
  const vendor = async (name: string, ...releases: string[]): Promise<void> => {
    const startedAt = performance.now();
    const { releases: vendored } = await refoundry("vendor", ...releases, "--escrow", `oci:${escrow}`);
    const seconds = (performance.now() - startedAt) / 1000;
    const sum = (of: (each: Vendored) => number): number => vendored.reduce((total, each) => total + of(each), 0);
    rows.push(...vendored);
    row(
      name,
      megabytes(sum(({ bytes }) => bytes)),
      megabytes(sum(({ bytesSent }) => bytesSent)),
      String(sum(({ blobsSent }) => blobsSent)),
      megabytes(await bytesBelow(escrow)),
      seconds.toFixed(1),
    );
  };
  for (const version of versions) await vendor(version, `hello@${version}`);
  await vendor("all again", ...versions.map((version) => `hello@${version}`));
  const again = rows.slice(-versions.length);
  process.stdout.write(`${again[0]?.missing.length ?? 0} pieces of the toolchain's sources are not to be had here\n`);
  if (again.some(({ bytesSent }) => bytesSent > 0)) throw new Error("the second run sent something");
} finally {
  await rm(folder, { recursive: true, force: true });
}
