import { createHash } from "node:crypto";
import pRetry, { AbortError } from "p-retry";
import { EnvHttpProxyAgent, interceptors, request } from "undici";
import { infrastructureError, interrupted, messageOf, RefoundryError } from "../errors.ts";

/** A file as an archive knows it. */
export interface ArchivedFile {
  /** Below a mirror's root. */
  readonly path: string;
  readonly size: number;
  /** 40 hex digits: by it the archive gives the file out. */
  readonly sha1: string;
}

/**
 * A snapshot service: every file that a Debian archive ever had, by the machine-usable
 * interface of the service that Debian runs (`/mr/...` and `/file/SHA1`).
 */
export interface SnapshotArchive {
  /** As messages name it. */
  readonly name: string;
  /** The bytes of a file by its path in the pool, unchecked; undefined where the archive never had it. */
  open(file: Omit<ArchivedFile, "sha1">, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** The files of a source package; undefined where the archive never had it. */
  listSource(name: string, version: string, signal?: AbortSignal): Promise<readonly ArchivedFile[] | undefined>;
  /** A small file, its SHA-1 checked, at most `limit` bytes. */
  read(file: ArchivedFile, limit: number, signal?: AbortSignal): Promise<Buffer>;
  close(): Promise<void>;
}

const timeouts = { headersTimeout: 60_000, bodyTimeout: 60_000 };
const largestAnswer = 16 * 1024 * 1024;
/** Versions of one package that share the part of a file's name. */
const mostVersions = 40;

/** Opens a snapshot service by its root address. */
export function openSnapshotArchive(root: string): SnapshotArchive {
  const agent = new EnvHttpProxyAgent({ connections: 4 });
  const dispatcher = agent.compose(interceptors.redirect({ maxRedirections: 3 }));
  const name = `the snapshot archive ${URL.parse(root)?.host ?? root}`;

  async function get(path: string, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined> {
    const once = async (): Promise<AsyncIterable<Uint8Array> | undefined> => {
      const { statusCode, body } = await request(root + path, { dispatcher, ...timeouts, ...(signal && { signal }) });
      if (statusCode === 200) return body;
      await body.dump();
      if (statusCode === 404) return undefined;
      const error = infrastructureError(`${name} answered ${statusCode} for ${path}`);
      throw statusCode === 429 || statusCode >= 500 ? error : new AbortError(error);
    };
    try {
      return await pRetry(once, { retries: 3, minTimeout: 500, ...(signal && { signal }) });
    } catch (cause) {
      if (signal?.aborted) throw interrupted();
      if (cause instanceof RefoundryError) throw cause;
      throw infrastructureError(`${name} cannot be asked: ${messageOf(cause)}`, { cause });
    }
  }

  async function read(path: string, limit: number, signal?: AbortSignal): Promise<Buffer | undefined> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of (await get(path, signal)) ?? []) {
      size += chunk.length;
      if (size > limit) throw infrastructureError(`${name} answered with more than ${limit} bytes for ${path}`);
      chunks.push(chunk);
    }
    return size === 0 ? undefined : Buffer.concat(chunks);
  }

  async function ask(path: string, signal?: AbortSignal): Promise<Answer | undefined> {
    const bytes = await read(path, largestAnswer, signal);
    if (!bytes) return undefined;
    try {
      const parsed: unknown = JSON.parse(bytes.toString("utf8"));
      if (isRecord(parsed)) return parsed;
    } catch {
      // said below
    }
    throw infrastructureError(`${name} gave no JSON object for ${path}`);
  }

  /** The versions that a binary or source package ever had. */
  async function versionsOf(kind: "binary" | "package", packageName: string, signal?: AbortSignal): Promise<string[]> {
    const answer = await ask(`/mr/${kind}/${encodeURIComponent(packageName)}/`, signal);
    const field = kind === "binary" ? "binary_version" : "version";
    return recordsOf(answer?.["result"]).flatMap((each) => (typeof each[field] === "string" ? [each[field]] : []));
  }

  async function filesOf(
    kind: "binary" | "package",
    packageName: string,
    version: string,
    signal?: AbortSignal,
  ): Promise<ArchivedFile[]> {
    const list = kind === "binary" ? "binfiles" : "srcfiles";
    const path = `/mr/${kind}/${encodeURIComponent(packageName)}/${encodeURIComponent(version)}/${list}?fileinfo=1`;
    return archivedFiles((await ask(path, signal))?.["fileinfo"]);
  }

  async function find(
    { path, size }: Omit<ArchivedFile, "sha1">,
    signal?: AbortSignal,
  ): Promise<ArchivedFile | undefined> {
    const [file = "", folder = ""] = decodePath(path).split("/").toReversed();
    const kind = file.endsWith(".deb") ? "binary" : "package";
    const packageName = kind === "binary" ? (file.split("_")[0] ?? "") : folder;
    const versions = await versionsOf(kind, packageName, signal);
    for (const version of versions.filter((each) => mayBeOf(file, each)).slice(0, mostVersions)) {
      const found = (await filesOf(kind, packageName, version, signal)).find(
        (each) => each.size === size && each.path.endsWith(`/${file}`),
      );
      if (found) return found;
    }
    return undefined;
  }

  return {
    name,
    async open(file, signal) {
      const found = await find(file, signal);
      return found && get(`/file/${found.sha1}`, signal);
    },
    async listSource(source, version, signal) {
      const files = await filesOf("package", source, version, signal);
      return files.some(({ path }) => path.endsWith(".dsc")) ? files : undefined;
    },
    async read({ path, sha1 }, limit, signal) {
      const bytes = (await read(`/file/${sha1}`, limit, signal)) ?? Buffer.alloc(0);
      if (createHash("sha1").update(bytes).digest("hex") === sha1) return bytes;
      throw infrastructureError(`${name} gave something else for ${path} than its SHA-1 says`);
    },
    close: () => agent.destroy(),
  };
}

type Answer = Readonly<Record<string, unknown>>;

function isRecord(value: unknown): value is Answer {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function recordsOf(value: unknown): readonly Answer[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

/** `fileinfo` has, by SHA-1, every place where a file of these bytes was. */
function archivedFiles(fileinfo: unknown): ArchivedFile[] {
  if (!isRecord(fileinfo)) return [];
  return Object.entries(fileinfo).flatMap(([sha1, places]) =>
    recordsOf(places).flatMap(({ name, path, size }): ArchivedFile[] => {
      const isUsable = typeof name === "string" && typeof path === "string" && typeof size === "number";
      if (!isUsable || !/^[0-9a-f]{40}$/.test(sha1) || name.includes("/")) return [];
      return [{ path: `${path.replace(/^\/+/, "")}/${name}`, size, sha1 }];
    }),
  );
}

/** File names leave the epoch out, and those of an upstream tarball the Debian revision too. */
function mayBeOf(file: string, version: string): boolean {
  const plain = version.replace(/^\d+:/, "");
  return file.includes(`_${plain}`) || file.includes(`_${plain.replace(/-[^-]*$/, "")}.orig`);
}

/** What a lock writes of a path: a colon of an epoch may be encoded. */
function decodePath(path: string): string {
  return path.replaceAll(/%3a/gi, ":").replaceAll(/%2b/gi, "+").replaceAll(/%7e/gi, "~");
}
