import type { Readable } from "node:stream";
import { type Dispatcher, request } from "undici";
import { infrastructureError, interrupted, RefoundryError } from "../../errors.ts";
import type { Authorization, Authorizer } from "./authorizer.ts";
import { discard, headerOf, readBytes } from "./body.ts";
import { parseChallenges } from "./challenge.ts";
import { type Endpoint, isPrivateTransport } from "./endpoint.ts";
import {
  firstLine,
  isTransientStatus,
  networkFailure,
  type Refusal,
  refusalFailure,
  type Target,
  TransientFailure,
} from "./failures.ts";
import type { Listings } from "./listings.ts";
import { parseRetryAfter } from "./retry.ts";

/** One request to a registry, as an operation asks for it. */
export interface Exchange {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH";
  readonly url: URL;
  /** Token scopes that it needs, `repository:NAME:pull,push`. */
  readonly scopes: readonly string[];
  readonly target: Target;
  /** Statuses that the operation understands; any other is thrown as a failure. */
  readonly accept: readonly number[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Makes the body afresh, each time that the request is sent. */
  readonly body?: () => Uint8Array | Readable;
  /** A registry may hash and move what it was sent before it answers. */
  readonly isCommit?: boolean;
  readonly signal?: AbortSignal;
}

/** A response with a status that was asked for; its body must be read or discarded. */
export interface Answer {
  readonly status: number;
  readonly headers: Dispatcher.ResponseData["headers"];
  readonly body: Dispatcher.ResponseData["body"];
}

/** What requests to one registry share. */
export interface Connection {
  readonly endpoint: Endpoint;
  readonly authorizer: Authorizer;
  /** What carries a request to that address. */
  readonly dispatcher: (url: URL) => Promise<Dispatcher>;
  readonly timeouts: Timeouts;
  /** Blobs larger than this are sent so that a broken transfer goes on where it stopped. */
  readonly resumableBytes: number;
  /** The lists of referrers that are being written. */
  readonly listings: Listings;
}

/** How long a registry may be silent, in seconds. */
export interface Timeouts {
  /** Before it answers. */
  readonly answer: number;
  /** Before it answers a request that wrote something. */
  readonly commit: number;
  /** Between two pieces of an answer's body. */
  readonly body: number;
}

/** For real registries. */
export const defaultTimeouts: Timeouts = { answer: 60, commit: 300, body: 60 };

const maxRedirects = 5;
const maxErrorBytes = 64 * 1024;
// what is said of a PUT when an upload was forgotten or damaged on the way, and by registries
// that need a moment until they see what was uploaded, or while others upload it too
const passingCodes: ReadonlySet<string> = new Set([
  "BLOB_UPLOAD_INVALID",
  "BLOB_UPLOAD_UNKNOWN",
  "DIGEST_INVALID",
  "MANIFEST_BLOB_UNKNOWN",
]);
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Sends one request: authorizes it, answers one challenge, follows redirects of GET and
 * HEAD. The Authorization header goes to the registry's own origin only. Does not try
 * again: throws a {@link TransientFailure} where that may help, an infrastructure error
 * that names registry and repository otherwise.
 */
export async function send(connection: Connection, exchange: Exchange): Promise<Answer> {
  const { authorizer } = connection;
  const { scopes, target, signal, accept } = exchange;
  const mayAuthorize = exchange.url.origin === connection.endpoint.origin;
  const known = mayAuthorize ? await authorizer.known(scopes, target, signal) : undefined;
  const first = await follow(connection, exchange, known);
  let used = known;
  let { answer, url } = first;
  if (answer.status === 401 && mayAuthorize && url.origin === connection.endpoint.origin) {
    const challenges = parseChallenges(answer.headers["www-authenticate"]);
    const better = await authorizer.answer(challenges, scopes, target, known, signal).catch(async (error: unknown) => {
      await discard(answer.body);
      throw error;
    });
    if (better) {
      await discard(answer.body);
      used = better;
      ({ answer, url } = await follow(connection, exchange, better));
    }
  }
  if (accept.includes(answer.status)) return answer;
  const refusal = await readRefusal(answer, authorizer);
  const failure = refusalFailure(
    {
      ...refusal,
      authenticated: used?.authenticated ?? false,
      isWrite: exchange.method !== "GET" && exchange.method !== "HEAD",
      ...(url.origin !== connection.endpoint.origin && { storageHost: url.host }),
    },
    target,
  );
  // an address in the storage is signed for a short time: asking the registry again gives a new one
  const isStale = answer.status === 403 && url.origin !== connection.endpoint.origin && exchange.method === "GET";
  const mayPass = exchange.method === "PUT" && refusal.codes.some((code) => passingCodes.has(code));
  if (!isTransientStatus(answer.status) && !isStale && !mayPass) throw failure;
  throw new TransientFailure(failure, parseRetryAfter(headerOf(answer.headers, "retry-after")));
}

async function follow(
  connection: Connection,
  exchange: Exchange,
  authorization: Authorization | undefined,
): Promise<{ readonly answer: Answer; readonly url: URL }> {
  const { endpoint } = connection;
  const { target, method } = exchange;
  let { url } = exchange;
  for (let count = 0; ; count++) {
    const answer = await once(connection, exchange, url, url.origin === endpoint.origin ? authorization : undefined);
    const mayFollow = redirects.has(answer.status) && (method === "GET" || method === "HEAD");
    if (!mayFollow) return { answer, url };
    await discard(answer.body);
    if (count === maxRedirects)
      throw infrastructureError(
        `${url.host} redirects the ${target.what} of ${target.host}/${target.repository} more than ${maxRedirects} times`,
      );
    url = resolveLocation(headerOf(answer.headers, "location"), url, target);
  }
}

/**
 * The address that a Location header names. Refuses one whose traffic could be read on
 * the way. The query is a secret where a storage signs its addresses, and is never shown.
 */
export function resolveLocation(location: string | undefined, base: URL, target: Target): URL {
  const url = URL.parse(location ?? "", base.href);
  const fail = (reason: string): Error =>
    infrastructureError(
      `${base.host} sends us for the ${target.what} of ${target.host}/${target.repository} to an address that ${reason}`,
    );
  if (location === undefined || !url) throw fail("is missing or no URL");
  // a proxy that ends TLS often makes registries believe that they are spoken to without
  if (url.protocol === "http:" && base.protocol === "https:" && url.host === base.host) url.protocol = "https:";
  if (!isPrivateTransport(url)) throw fail(`is not https: ${firstLine(url.origin)}`);
  // the fetch specification has no place for these either
  url.username = "";
  url.password = "";
  return url;
}

async function once(
  { dispatcher, timeouts }: Connection,
  exchange: Exchange,
  url: URL,
  authorization: Authorization | undefined,
): Promise<Answer> {
  const { method, target, signal, headers, body, isCommit = false } = exchange;
  if (signal?.aborted) throw interrupted();
  try {
    const response = await request(url, {
      dispatcher: await dispatcher(url),
      method,
      // undici would close the connection after every HEAD
      ...(method === "HEAD" && { reset: false }),
      headers: { "user-agent": "refoundry", ...headers, ...(authorization && { authorization: authorization.header }) },
      ...(body && { body: body() }),
      ...(signal && { signal }),
      headersTimeout: (isCommit ? timeouts.commit : timeouts.answer) * 1000,
      bodyTimeout: timeouts.body * 1000,
    });
    return { status: response.statusCode, headers: response.headers, body: response.body };
  } catch (error) {
    throw translate(error, target, url, signal);
  }
}

/** What a failure of a request or of reading its body is called; ours pass as they are. */
export function translate(error: unknown, target: Target, url: URL, signal?: AbortSignal): unknown {
  if (signal?.aborted) return interrupted();
  if (error instanceof RefoundryError || error instanceof TransientFailure) return error;
  const isRegistry = url.host === target.host || url.hostname === "registry-1.docker.io";
  return networkFailure(error, target, isRegistry ? target.host : url.host, url.protocol === "https:");
}

/** Reads the errors of distribution-spec's error document, if that is what the body is. */
async function readRefusal(
  answer: Answer,
  authorizer: Authorizer,
): Promise<Pick<Refusal, "status" | "codes" | "message">> {
  const { status, body } = answer;
  // the status says enough when the rest does not arrive
  const bytes = await readBytes(body, maxErrorBytes).catch(() => undefined);
  let parsed: unknown;
  try {
    parsed = JSON.parse(bytes?.toString("utf8") ?? "");
  } catch {
    return { status, codes: [], message: "" };
  }
  const errors =
    typeof parsed === "object" && parsed !== null && "errors" in parsed && Array.isArray(parsed.errors)
      ? (parsed.errors as unknown[])
      : [];
  const fields = errors.slice(0, 5).filter((item) => typeof item === "object" && item !== null) as Readonly<
    Record<string, unknown>
  >[];
  const texts = (name: string): string[] =>
    fields.map((item) => item[name]).filter((value) => typeof value === "string");
  const codes = texts("code").filter((code) => /^[A-Z_]{1,64}$/.test(code));
  return { status, codes: [...new Set(codes)], message: firstLine(authorizer.redact(texts("message").join("; "))) };
}
