import { EnvHttpProxyAgent, interceptors, request } from "undici";
import { infrastructureError, interrupted, messageOf, RefoundryError } from "../errors.ts";
import type { Emit } from "../events.ts";
import type { OciLayout } from "../oci/layout.ts";
import type { Source } from "../recipe/schema.ts";

/** A file that git has as a pointer, and Git LFS has itself. */
export interface LfsObject {
  /** 64 hex digits: LFS names an object by its content. */
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
}

/** What bringing objects of Git LFS needs. */
export interface LfsRequest {
  readonly source: Source;
  readonly blobs: OciLayout;
  /** Where the source's submodules may be had, by path; asked for when an object has to be fetched. */
  readonly submodules?: () => Promise<ReadonlyMap<string, readonly string[]>>;
  /** Nothing is fetched: what is not there is missing. */
  readonly offline: boolean;
  readonly emit: Emit;
  readonly signal?: AbortSignal;
}

/** A pointer is shorter than this (git-lfs, pointer file specification). */
export const largestPointer = 1024;
const largestObject = 8 * 1024 ** 3;
const largestAnswer = 1024 * 1024;
const mediaType = "application/vnd.git-lfs+json";
const timeouts = { headersTimeout: 60_000, bodyTimeout: 120_000 };

/** Reads a pointer file; undefined for any other. */
export function parsePointer(text: string): LfsObject | undefined {
  const [, sha256 = "", size = ""] =
    /^version https:\/\/git-lfs\.github\.com\/spec\/v1\n(?:[a-z0-9.-]+ [^\n]*\n)*?oid sha256:([0-9a-f]{64})\nsize (\d{1,15})\n$/.exec(
      text,
    ) ?? [];
  return sha256 === "" ? undefined : { sha256, size: Number(size) };
}

/**
 * Puts an object into the store as a blob, its size and digest checked: by the batch API of
 * the endpoints that the source names; of a file in a submodule, of those beside where that
 * may be had; of our forks in order, and of upstream. Throws an infrastructure error with
 * what each said when none has it.
 */
async function bringLfsObject(object: LfsObject, path: string, lfs: LfsRequest): Promise<void> {
  const { source, blobs, offline, emit, signal } = lfs;
  const expected = { digest: `sha256:${object.sha256}`, size: object.size } as const;
  if (await blobs.has(expected)) return;
  if (offline)
    throw infrastructureError(
      `${path} of ${source.source} (LFS object ${object.sha256}) is neither in the store nor in the escrow, and nothing else is asked offline`,
      { hint: "refoundry vendor RECIPE --escrow REF, where there is a network, puts it there" },
    );
  if (object.size > largestObject)
    throw infrastructureError(`${path} is larger than the ${largestObject} bytes that are taken`);
  const agent = new EnvHttpProxyAgent({ connections: 2 });
  const dispatcher = agent.compose(interceptors.redirect({ maxRedirections: 3 }));
  const failures: string[] = [];
  try {
    for (const endpoint of endpointsOf(source, path, (await lfs.submodules?.()) ?? new Map())) {
      emit({ type: "stage-progress", stage: "source", doing: `fetching ${path} from ${endpoint}` });
      try {
        const { href, header } = await askBatch(endpoint, object, dispatcher, signal);
        const options = { dispatcher, headers: header, ...timeouts, ...(signal && { signal }) };
        const { statusCode, body } = await request(href, options);
        if (statusCode !== 200) {
          await body.dump();
          throw infrastructureError(`${endpoint} answered ${statusCode} for the LFS object ${object.sha256}`);
        }
        await blobs.writeStream(body, expected);
        return;
      } catch (error) {
        if (signal?.aborted) throw interrupted();
        if (error instanceof RefoundryError && error.kind !== "infrastructure") throw error;
        failures.push(messageOf(error));
      }
    }
  } finally {
    await agent.destroy();
  }
  throw infrastructureError(
    `${path} of ${source.source} (LFS object ${object.sha256}) cannot be had from anywhere:\n${failures.join("\n") || "no endpoint is known"}`,
    { hint: `name an LFS endpoint in vendor-sources/${source.source}.yaml: lfs: { endpoints: [URL] }` },
  );
}

/** git-lfs, server discovery: the endpoint of a repository is beside it. What the tree itself names is not asked. */
function endpointsOf(
  { lfs, forks, upstream }: Source,
  path: string,
  submodules: ReadonlyMap<string, readonly string[]>,
): string[] {
  const [around] = [...submodules.keys()]
    .filter((submodule) => path.startsWith(`${submodule}/`))
    .toSorted((a, b) => b.length - a.length);
  const own = around === undefined ? [] : (submodules.get(around) ?? []);
  const beside = [...own, ...forks, upstream]
    .filter((url) => /^https:/i.test(url))
    .map((url) => `${url.replace(/\/+$/, "").replace(/\.git$/, "")}.git/info/lfs`);
  return [...new Set([...(lfs?.endpoints ?? []).map((url) => url.replace(/\/+$/, "")), ...beside])];
}

interface Download {
  readonly href: string;
  readonly header: Readonly<Record<string, string>>;
}

async function askBatch(
  endpoint: string,
  { sha256, size }: LfsObject,
  dispatcher: ReturnType<EnvHttpProxyAgent["compose"]>,
  signal?: AbortSignal,
): Promise<Download> {
  const { statusCode, body } = await request(`${endpoint}/objects/batch`, {
    method: "POST",
    headers: { accept: mediaType, "content-type": mediaType },
    body: JSON.stringify({
      operation: "download",
      transfers: ["basic"],
      objects: [{ oid: sha256, size }],
      hash_algo: "sha256",
    }),
    dispatcher,
    ...timeouts,
    ...(signal && { signal }),
  });
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > largestAnswer) throw infrastructureError(`${endpoint} answered with more than an answer`);
    chunks.push(chunk);
  }
  if (statusCode !== 200) throw infrastructureError(`${endpoint} answered ${statusCode}`);
  const answer = JSON.parse(Buffer.concat(chunks).toString("utf8")) as {
    readonly objects?: readonly {
      readonly error?: { readonly message?: unknown };
      readonly actions?: { readonly download?: { readonly href?: unknown; readonly header?: unknown } };
    }[];
  };
  const [object] = answer.objects ?? [];
  const { href, header } = object?.actions?.download ?? {};
  if (typeof href !== "string" || !/^https?:\/\//.test(href))
    throw infrastructureError(
      `${endpoint} has no LFS object ${sha256}: ${String(object?.error?.message ?? "no address")}`,
    );
  const texts = Object.entries((header ?? {}) as Record<string, unknown>).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  return { href, header: Object.fromEntries(texts) };
}

/** What stages a source with what Git LFS has of it; undefined for one that does not say it wants that. */
export function lfsBringer(lfs: LfsRequest): ((object: LfsObject, path: string) => Promise<string>) | undefined {
  if (lfs.source.lfs === undefined) return undefined;
  let known: ReturnType<NonNullable<LfsRequest["submodules"]>> | undefined;
  const submodules = (): Promise<ReadonlyMap<string, readonly string[]>> =>
    (known ??= lfs.submodules?.() ?? Promise.resolve(new Map()));
  return async (object, path) => {
    await bringLfsObject(object, path, { ...lfs, submodules });
    return lfs.blobs.blobPath(`sha256:${object.sha256}`);
  };
}
