import { mkdir, realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Document, isMap, isScalar, Scalar, visit } from "yaml";
import type { z } from "zod";
import { RefoundryError, usageError } from "../errors.ts";
import { canonicalJson } from "../json.ts";
import { displayPath, parseDocument, readTextFile } from "./document.ts";
import { describeIssue, pathText } from "./issues.ts";
import { type Release, releaseSchema, type ToolchainLock, toolchainLockSchema } from "./schema.ts";
import { type ToolchainSources, toolchainSourcesSchema } from "./toolchain-sources.ts";
import { lockFile, releaseFile, toolchainSourcesFile } from "./tree.ts";
import { byCodeUnit } from "./words.ts";
import { isAbsent, replaceFile } from "./replace-file.ts";

/** How a file is written. */
export interface WriteOptions {
  /** Whether a file with other content may be replaced; by default that is a usage error. */
  readonly replace?: boolean;
}

/**
 * Writes a release's file in one step and gives its path; a file that has the same content
 * is left alone. The same release gives the same bytes. Throws a usage error when it is not valid, or when there is a file with other content.
 */
export async function writeRelease(
  root: string,
  recipeName: string,
  release: Release,
  options: WriteOptions = {},
): Promise<string> {
  const path = releaseFile(recipeName, release.version);
  return writeDocument(
    root,
    path,
    { schema: releaseSchema, arrange: sortRecords, writer: "refoundry pin" },
    release,
    options,
  );
}

/**
 * Writes a toolchain's lock in one step and gives its path; a file that has the same content
 * is left alone. The same lock gives the same bytes. Throws a usage error when it is not valid, or when there is a file with other content.
 */
export async function writeToolchainLock(
  root: string,
  toolchain: string,
  lockName: string,
  lock: ToolchainLock,
  options: WriteOptions = {},
): Promise<string> {
  const path = lockFile(toolchain, lockName);
  const kind = {
    schema: toolchainLockSchema,
    arrange: (value: ToolchainLock) => value,
    writer: "refoundry toolchain lock",
  };
  return writeDocument(root, path, kind, lock, options);
}

/**
 * Throws a usage error where a toolchain has a lock of this name that is made from other
 * packages, or under other conditions, before the work of making an image from these.
 */
export async function refuseOtherLock(
  root: string,
  toolchain: string,
  lockName: string,
  wanted: Omit<ToolchainLock, "digest">,
): Promise<void> {
  const path = lockFile(toolchain, lockName);
  const present = await readTextFile(root, path);
  if (present.text === undefined) return;
  const file = displayPath(join(root, path));
  const { document } = parseDocument(present.text, file, toolchainLockSchema);
  const { digest: _, ...had } = document?.value ?? { digest: undefined };
  if (canonicalJson(had) !== canonicalJson(wanted)) throw otherContent(file);
}

/**
 * Writes the source packages of a lock's packages in one step and gives the file's path; one
 * that was written before is replaced, as more of them may be found by now.
 */
export async function writeToolchainSources(
  root: string,
  toolchain: string,
  lockName: string,
  sources: ToolchainSources,
): Promise<string> {
  const kind = {
    schema: toolchainSourcesSchema,
    arrange: (value: ToolchainSources) => value,
    writer: "refoundry toolchain sources",
  };
  return writeDocument(root, toolchainSourcesFile(toolchain, lockName), kind, sources, { replace: true });
}

interface WrittenKind<T> {
  readonly schema: z.ZodType<T>;
  /** Puts what the schema gives no order into one. */
  readonly arrange: (value: T) => T;
  readonly writer: string;
}

async function writeDocument<T>(
  root: string,
  path: string,
  kind: WrittenKind<T>,
  value: T,
  options: WriteOptions,
): Promise<string> {
  const { schema, arrange, writer } = kind;
  const full = join(root, path);
  const file = displayPath(full);
  // zod gives the keys in the order of the schema
  const parsed = schema.safeParse(value, { error: describeIssue });
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => {
      const where = pathText(issue.path.map((part) => (typeof part === "number" ? part : String(part))));
      return { message: `this cannot be written: ${where}: ${issue.message}`, location: { file } };
    });
    throw new RefoundryError("usage", problems);
  }
  const text = yamlText(arrange(parsed.data), writer);
  const again = parseDocument(text, file, schema);
  if (!again.document) throw new RefoundryError("usage", again.problems);
  if (canonicalJson(again.document.value) !== canonicalJson(parsed.data))
    throw new Error(`${file} would not read back as it was written`);

  await mkdir(dirname(full), { recursive: true });
  if ((await realpath(dirname(full))) !== join(await realpath(root), dirname(path))) {
    throw usageError("lies behind a symbolic link", { location: { file }, hint: "make it a plain folder" });
  }
  const present = await readTextFile(root, path);
  if (present.text === text) return full;
  const absent = present.problem !== undefined && (await isAbsent(full));
  if (!absent && options.replace !== true) {
    throw otherContent(file);
  }
  await replaceFile(full, text);
  return full;
}

function otherContent(file: string): RefoundryError {
  return usageError("is there already, with other content", {
    location: { file },
    hint: "releases and locks are not rewritten by accident: with --replace it is, and git shows the difference",
  });
}

function yamlText(value: unknown, writer: string): string {
  const document = new Document(value, { version: "1.2", schema: "core", aliasDuplicateObjects: false });
  visit(document, {
    Pair(_, pair) {
      // so that a version looks the same whether or not it could be taken for a number
      if (isScalar(pair.key) && pair.key.value === "version" && isScalar(pair.value))
        pair.value.type = Scalar.QUOTE_DOUBLE;
    },
    Seq(_, list) {
      for (const item of list.items) if (isMap(item)) item.flow = true;
    },
  });
  const body = document.toString({ lineWidth: 0, minContentWidth: 0 });
  return `# Written by ${writer}; review it, do not edit it.\n${body}`;
}

function sortRecords(release: Release): Release {
  const { upstream, expect } = release;
  return {
    ...release,
    upstream: { ...upstream, manifests: sorted(upstream.manifests) },
    ...(expect && { expect: { ...expect, platforms: sorted(expect.platforms) } }),
  };
}

function sorted<R extends Readonly<Record<string, unknown>>>(record: R): R {
  return Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => byCodeUnit(a, b))) as R;
}
