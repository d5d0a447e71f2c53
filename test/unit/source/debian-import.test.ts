import { createHash } from "node:crypto";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { openMirror, type PinnedFile } from "../../../src/debian/mirror.ts";
import { silent } from "../../../src/events.ts";
import { openBareRepository } from "../../../src/git/repository.ts";
import { ensureLayout } from "../../../src/oci/layout.ts";
import type { TarInput } from "../../../src/oci/tar/write.ts";
import { changelogDate } from "../../../src/source/changelog.ts";
import { importDebianSource } from "../../../src/source/debian-import.ts";
import { parseSourceControl } from "../../../src/source/dsc.ts";
import { stageSource } from "../../../src/source/stage.ts";
import { serveFiles } from "../../support/file-server.ts";
import { file, folder, link, tarOf } from "../../support/images.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const changelog = `hello (1.0-1) unstable; urgency=medium

  * First.

 -- Someone <someone@example.invalid>  Wed, 16 Sep 2020 22:40:23 +0800
`;
const packaging: TarInput[] = [
  folder("debian"),
  file("debian/changelog", changelog),
  file("debian/rules", "#!/usr/bin/make -f\n", { mode: 0o755 }),
];
const upstream: TarInput[] = [
  folder("hello-1.0"),
  file("hello-1.0/main.c", "int main;\r\n"),
  file("hello-1.0/run", "#!/bin/sh\n", { mode: 0o755, mtime: 77 }),
  link("hello-1.0/link", "main.c"),
  link("hello-1.0/hard", "hello-1.0/main.c", "hardlink"),
  file("hello-1.0/debian/old", "replaced by the packaging"),
  file("hello-1.0/.gitattributes", "* text eol=lf export-ignore\n*.c ident filter=evil\n"),
  file("hello-1.0/.dockerignore", "*\n"),
];

interface Package {
  readonly files: PinnedFile[];
  readonly served: Map<string, Uint8Array>;
}

async function xz(bytes: Uint8Array): Promise<Uint8Array> {
  return (await execa("xz", ["--stdout"], { input: bytes, encoding: "buffer" })).stdout;
}

async function sourcePackage(
  orig: readonly TarInput[] = upstream,
  change: (dsc: string) => string = (dsc) => dsc,
): Promise<Package> {
  const archives: [string, Uint8Array][] = [
    ["hello_1.0.orig.tar.gz", gzipSync(await tarOf(orig))],
    ["hello_1.0-1.debian.tar.xz", await xz(await tarOf(packaging))],
  ];
  const sums = archives.map(
    ([name, bytes]) => ` ${createHash("sha256").update(bytes).digest("hex")} ${bytes.length} ${name}`,
  );
  const dsc = change(`Format: 3.0 (quilt)\nSource: hello\nVersion: 1.0-1\nChecksums-Sha256:\n${sums.join("\n")}\n`);
  const all: [string, Uint8Array][] = [["hello_1.0-1.dsc", Buffer.from(dsc)], ...archives];
  const served = new Map(all.map(([name, bytes]) => [`pool/main/h/hello/${name}`, bytes]));
  const files = [...served].map(([path, bytes]) => ({
    path,
    size: bytes.length,
    sha256: createHash("sha256").update(bytes).digest("hex"),
  }));
  return { files, served };
}

async function importPackage({
  files,
  served,
}: Package): Promise<{ commit: string; tree: string; epoch: number; repositoryPath: string }> {
  const work = await temporaryFolder();
  const repositoryPath = join(work, "hello.git");
  const blobs = await ensureLayout(join(work, "blobs"));
  const mirror = openMirror(blobs, () => serveFiles(served));
  const temporary = join(work, "tmp");
  await mkdir(temporary);
  try {
    const imported = await importDebianSource({
      package: "hello",
      version: "1.0-1",
      files,
      repositoryPath,
      blobs,
      mirror,
      temporaryFolder: temporary,
      emit: silent,
    });
    return { ...imported, repositoryPath };
  } finally {
    await mirror.close();
  }
}

test("whoever imports gets the same commit, with the changelog's date", async () => {
  const source = await sourcePackage();
  const [first, second] = [await importPackage(source), await importPackage(source)];
  expect(second.commit).toBe(first.commit);
  expect(first.epoch).toBe(1600267223);
  const show = await execa("git", [
    "--git-dir",
    first.repositoryPath,
    "show",
    "--no-patch",
    "--format=%an <%ae> %ct %P|%s",
    first.commit,
  ]);
  expect(show.stdout).toBe(
    "refoundry import <import@refoundry.invalid> 1600267223 |Import hello 1.0-1 from its Debian source package",
  );
  const listed = await execa("git", [
    "--git-dir",
    first.repositoryPath,
    "ls-tree",
    "-r",
    "--format=%(objectmode) %(path)",
    first.commit,
  ]);
  expect(listed.stdout.split("\n")).toEqual([
    "100644 .dockerignore",
    "100644 .gitattributes",
    "100644 debian/changelog",
    "100755 debian/rules",
    "100644 hard",
    "120000 link",
    "100644 main.c",
    "100755 run",
  ]);
});

test.each([
  ["files without a top folder", [file("main.c", ""), folder("lib"), file("lib/a.c", "")], ["lib/a.c", "main.c"]],
  ["two top folders", [file("a/main.c", ""), file("b/main.c", "")], ["a/main.c", "b/main.c"]],
  ["one top folder", [file("a/main.c", ""), file("a/b/main.c", "")], ["b/main.c", "main.c"]],
  ["one folder beside an empty one", [file("a/main.c", ""), folder("b")], ["a/main.c"]],
])("an archive of %s is unpacked as dpkg-source does it", async (_, orig, wanted) => {
  const { commit, repositoryPath } = await importPackage(await sourcePackage(orig));
  const { stdout } = await execa("git", ["--git-dir", repositoryPath, "ls-tree", "-r", "--name-only", commit]);
  expect(stdout.split("\n").filter((path) => !path.startsWith("debian/"))).toEqual(wanted);
});

test("what is staged is what was imported, whatever the tree's attributes say", async () => {
  const { commit, repositoryPath } = await importPackage(await sourcePackage());
  const target = join(await temporaryFolder(), "src");
  const notices: string[] = [];
  const staged = await stageSource({
    repositoryPath,
    commit,
    folder: target,
    epoch: 1234,
    emit: (event) => void (event.type === "notice" && notices.push(event.message)),
  });
  expect(await readFile(join(target, "main.c"), "utf8")).toBe("int main;\r\n");
  expect((await stat(join(target, "run"))).mode & 0o777).toBe(0o755);
  expect((await stat(join(target, "main.c"))).mtimeMs).toBe(1_234_000);
  expect(notices.join()).toContain(".dockerignore");
  await expect(stat(join(target, ".dockerignore"))).rejects.toThrow();
  const again = await stageSource({
    repositoryPath,
    commit,
    folder: join(await temporaryFolder(), "src"),
    epoch: 1234,
    emit: silent,
  });
  expect(again.archive).toBe(staged.archive);
});

describe("what does not match its pin is never imported", () => {
  test("a file with other content on the mirror", async () => {
    const source = await sourcePackage();
    const path = "pool/main/h/hello/hello_1.0.orig.tar.gz";
    source.served.set(path, Buffer.alloc(source.served.get(path)?.length ?? 0));
    await expect(importPackage(source)).rejects.toThrow(/digest sha256:[0-9a-f]{64}, not sha256:/);
  });

  test("a .dsc that lists another checksum than is pinned", async () => {
    const other = (dsc: string): string => dsc.replace(/^ [0-9a-f]{64}/m, ` ${"0".repeat(64)}`);
    await expect(importPackage(await sourcePackage(upstream, other))).rejects.toMatchObject({ kind: "mismatch" });
  });

  test("a .dsc that lists a file that is not pinned, or is of another package", async () => {
    const more = await sourcePackage(upstream, (dsc) => `${dsc} ${"0".repeat(64)} 5 hello_1.0.orig-extra.tar.gz\n`);
    await expect(importPackage(more)).rejects.toThrow(/orig-extra.*not pinned/);
    await expect(
      importPackage(await sourcePackage(upstream, (dsc) => dsc.replace("Source: hello", "Source: other"))),
    ).rejects.toThrow(/source of other/);
  });

  test("a file that is gone is named", async () => {
    const source = await sourcePackage();
    source.served.delete("pool/main/h/hello/hello_1.0-1.debian.tar.xz");
    await expect(importPackage(source)).rejects.toThrow(
      /no longer has pool\/main\/h\/hello\/hello_1.0-1.debian.tar.xz/,
    );
  });
});

test.each<[string, TarInput[], RegExp]>([
  ["a path that leads out", [file("hello-1.0/../../etc/passwd")], /leads out/],
  ["an absolute path", [file("/etc/passwd")], /leads out/],
  ["a .git folder", [file("hello-1.0/.GIT/config")], /\.git/],
  ["a hard link to something outside", [link("hello-1.0/x", "../../etc/shadow", "hardlink")], /leads out/],
  ["a hard link to nothing", [link("hello-1.0/x", "hello-1.0/nothing", "hardlink")], /not in it/],
])("an archive with %s is refused", async (_, entries, message) => {
  await expect(importPackage(await sourcePackage(entries))).rejects.toThrow(message);
});

test("a format that cannot be imported is said", async () => {
  await expect(
    importPackage(await sourcePackage(upstream, (dsc) => dsc.replace("3.0 (quilt)", "1.0"))),
  ).rejects.toThrow(/source format 1.0/);
});

test("a clear-signed .dsc is read without its armour", () => {
  const body = `Format: 3.0 (quilt)\nSource: a\nVersion: 1-1\nChecksums-Sha256:\n ${"a".repeat(64)} 5 a_1.orig.tar.gz\n`;
  const signed = `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n${body}\n-----BEGIN PGP SIGNATURE-----\n\nSource: evil\n-----END PGP SIGNATURE-----\n`;
  expect(parseSourceControl(signed, "a.dsc")).toMatchObject({ name: "a", version: "1-1" });
  expect(parseSourceControl(signed, "a.dsc").files.get("a_1.orig.tar.gz")).toEqual({ size: 5, sha256: "a".repeat(64) });
  expect(() => parseSourceControl("nonsense", "a.dsc")).toThrow(/lists no files/);
});

test.each([
  [" -- A <a@b>  Wed, 16 Sep 2020 22:40:23 +0800", 1600267223],
  [" -- A <a@b>  Thu, 01 Jan 1970 00:00:00 +0000", 0],
  [" -- A <a@b>  Mon, 5 Feb 2024 01:02:03 -0330", 1707107523],
])("the changelog line %j is %d", (line, seconds) => {
  expect(changelogDate(`x (1) y; urgency=low\n\n${line}\n`)).toBe(seconds);
});

test("a changelog without a date is an error", () => {
  expect(() => changelogDate("x (1) y; urgency=low\n")).toThrow(/no entry with a date/);
});

describe("a git repository", () => {
  async function remote(): Promise<{ url: string; commits: string[] }> {
    const path = join(await temporaryFolder(), "remote");
    await mkdir(path);
    const env = { GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null" };
    const git = async (...args: string[]): Promise<string> =>
      (await execa("git", ["-c", "user.name=a", "-c", "user.email=a@b", ...args], { cwd: path, env })).stdout;
    await git("init", "--quiet", ".");
    const commits: string[] = [];
    for (const content of ["one", "two", "three"]) {
      await writeFile(join(path, "file"), content);
      await git("add", ".");
      await git("commit", "--quiet", "-m", content);
      commits.push(await git("rev-parse", "HEAD"));
    }
    await git("tag", "-a", "v2.0", "-m", "tag", commits[1] ?? "");
    return { url: `file://${path}`, commits };
  }

  test("gives the pinned commit alone, by id or by what a tag names", async () => {
    const { url, commits } = await remote();
    const [, second = ""] = commits;
    const repository = await openBareRepository(join(await temporaryFolder(), "r.git"));
    expect(await repository.resolveTag(url, ["v9", "v2.0"])).toEqual({ tag: "v2.0", commit: second });
    expect(await repository.hasCommit(second)).toBe(false);
    await repository.fetchCommit(url, second);
    expect(await repository.hasCommit(second)).toBe(true);
    const count = await execa("git", [
      "--git-dir",
      repository.path,
      "cat-file",
      "--batch-check",
      "--batch-all-objects",
    ]);
    expect(count.stdout.split("\n").filter((line) => line.includes(" commit "))).toHaveLength(1);
  });

  test.each([
    "--upload-pack=touch /tmp/x",
    "ext::sh -c id",
    "http://example.invalid/x",
    "-x",
    "git://example.invalid/x",
  ])("%s is not an address", async (url) => {
    const repository = await openBareRepository(join(await temporaryFolder(), "r.git"));
    await expect(repository.fetchCommit(url, "a".repeat(40))).rejects.toMatchObject({ kind: "usage" });
  });

  test("a short id is refused before git sees it; an interrupt stops", async () => {
    const { url } = await remote();
    const stop = new AbortController();
    const repository = await openBareRepository(join(await temporaryFolder(), "r.git"), stop.signal);
    await expect(repository.fetchCommit(url, "abc123")).rejects.toThrow(/not a full commit id/);
    stop.abort();
    await expect(repository.fetchCommit(url, "a".repeat(40))).rejects.toMatchObject({ kind: "interrupted" });
  });
});
