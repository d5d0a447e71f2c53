import { type Dispatcher, request } from "undici";
import { infrastructureError, interrupted, RefoundryError } from "../../errors.ts";
import { discard, headerOf, readBytes } from "./body.ts";
import type { Challenge } from "./challenge.ts";
import type { Credential, CredentialSource } from "./credentials.ts";
import { type Endpoint, isLoopback, isPrivateTransport } from "./endpoint.ts";
import {
  firstLine,
  isTransientStatus,
  networkFailure,
  refusalFailure,
  type Target,
  TransientFailure,
} from "./failures.ts";
import { parseRetryAfter } from "./retry.ts";

/** What goes into the Authorization header, and whether it stands for a user. */
export interface Authorization {
  readonly header: string;
  readonly authenticated: boolean;
}

/** Knows how one registry wants its requests authorized; keeps its tokens, by scope. */
export interface Authorizer {
  /** What is known to be needed already; undefined before the registry has asked for anything. */
  known(scopes: readonly string[], target: Target, signal?: AbortSignal): Promise<Authorization | undefined>;
  /**
   * Answers challenges of a 401. `refused` is what was sent, which is not used again.
   * Undefined when there is nothing better to send.
   */
  answer(
    challenges: readonly Challenge[],
    scopes: readonly string[],
    target: Target,
    refused: Authorization | undefined,
    signal?: AbortSignal,
  ): Promise<Authorization | undefined>;
  /** The text without the secrets used until now. */
  redact(text: string): string;
}

interface AuthorizerContext {
  readonly endpoint: Endpoint;
  readonly credentials: CredentialSource;
  readonly dispatcher: (url: URL) => Promise<Dispatcher>;
  /** Aborts when the client closes. */
  readonly closing: AbortSignal;
}

interface TokenServer {
  readonly realm: URL;
  readonly service: string | undefined;
}

interface Token extends Authorization {
  /** In milliseconds of `performance.now()`. */
  readonly expires: number;
}

interface CachedToken {
  readonly value: Promise<Token>;
  /** The value, once it is there. */
  settled?: Token;
}

const maxAnswerBytes = 1024 * 1024;
const tokenSeconds = 30;
const clientId = "refoundry";

/**
 * Authorization with one registry: basic, or bearer tokens from the token server it
 * names (distribution's token and oauth2 specifications). Credentials are asked for at
 * the first challenge, and go to the registry's host and its token server only.
 */
export function createAuthorizer(context: AuthorizerContext): Authorizer {
  const { endpoint, closing } = context;
  const secrets = new Set<string>();
  const tokens = new Map<string, CachedToken>();
  // what the registry asked for beyond the scopes that we ask for
  const widened = new Map<string, readonly string[]>();
  let credential: Promise<Credential | undefined> | undefined;
  let basic: Authorization | undefined;
  let server: TokenServer | undefined;

  function findCredential(): Promise<Credential | undefined> {
    credential ??= context.credentials(endpoint.host, closing).then((found) => {
      if (!found) return found;
      secrets.add(found.kind === "basic" ? found.password : found.token);
      if (found.kind === "basic") secrets.add(basicOf(found));
      return found;
    });
    return credential;
  }

  async function fetchToken(from: TokenServer, scopes: readonly string[], target: Target): Promise<Token> {
    const found = await findCredential();
    if (found?.kind === "registry-token")
      return { header: `Bearer ${checkedToken(found.token, target)}`, authenticated: true, expires: Infinity };
    const { token, seconds } = await requestToken(from, scopes, found, target, {
      dispatcher: await context.dispatcher(from.realm),
      signal: closing,
    });
    secrets.add(token);
    // renewed a little early, as clocks differ and requests take time
    return {
      header: `Bearer ${token}`,
      authenticated: found !== undefined,
      expires: performance.now() + seconds * 900,
    };
  }

  async function bearer(
    from: TokenServer,
    scopes: readonly string[],
    target: Target,
    signal?: AbortSignal,
  ): Promise<Token> {
    const all = widened.get(scopes.join(" ")) ?? scopes;
    const key = `${from.realm.href} ${from.service ?? ""} ${all.join(" ")}`;
    const cached = tokens.get(key);
    const isFresh = cached && (cached.settled === undefined || cached.settled.expires > performance.now());
    if (isFresh) return orAborted(cached.value, signal);
    const fresh: CachedToken = { value: fetchToken(from, all, target) };
    tokens.set(key, fresh);
    // runs also where every asker has gone away meanwhile
    fresh.value.then(
      (token) => void (fresh.settled = token),
      () => void (tokens.get(key) === fresh && tokens.delete(key)),
    );
    return orAborted(fresh.value, signal);
  }

  function redact(text: string): string {
    let clean = text;
    for (const secret of secrets) if (secret !== "") clean = clean.replaceAll(secret, "[secret]");
    return clean;
  }

  return {
    redact,
    async known(scopes, target, signal) {
      return basic ?? (server && bearer(server, scopes, target, signal));
    },
    async answer(challenges, scopes, target, refused, signal) {
      const asked = challenges.find(({ scheme }) => scheme === "bearer");
      if (asked) {
        server = tokenServerOf(asked, endpoint);
        for (const [key, { settled }] of tokens) if (settled && settled.header === refused?.header) tokens.delete(key);
        const wanted = asked.parameters.get("scope")?.split(" ") ?? [];
        const more = wanted.filter((scope) => scope !== "" && !scopes.some((own) => covers(own, scope)));
        if (more.length > 0) widened.set(scopes.join(" "), [...scopes, ...new Set(more)]);
        const token = await bearer(server, scopes, target, signal);
        return token.header === refused?.header ? undefined : token;
      }
      if (!challenges.some(({ scheme }) => scheme === "basic") || basic !== undefined) return undefined;
      const found = await orAborted(findCredential(), signal);
      if (found?.kind !== "basic") return undefined;
      basic = { header: `Basic ${basicOf(found)}`, authenticated: true };
      return basic;
    },
  };
}

/** Whether a scope `repository:NAME:ACTION,...` gives all that another one does. */
function covers(own: string, other: string): boolean {
  const cut = (scope: string): [string, string[]] => [
    scope.slice(0, scope.lastIndexOf(":")),
    scope.slice(scope.lastIndexOf(":") + 1).split(","),
  ];
  const [name, actions] = cut(own);
  const [otherName, otherActions] = cut(other);
  return name === otherName && otherActions.every((action) => actions.includes(action));
}

function basicOf(credential: { readonly username: string; readonly password: string }): string {
  return Buffer.from(`${credential.username}:${credential.password}`).toString("base64");
}

function tokenServerOf({ parameters }: Challenge, endpoint: Endpoint): TokenServer {
  const realm = URL.parse(parameters.get("realm") ?? "");
  const fail = (reason: string): Error =>
    infrastructureError(`the registry ${endpoint.host} sends us for a token to an address that ${reason}`);
  if (!realm) throw fail("is no URL");
  if (realm.username !== "" || realm.password !== "") throw fail("holds credentials");
  if (!isPrivateTransport(realm)) throw fail(`is not https: ${firstLine(realm.origin)}`);
  // a registry elsewhere has no business with servers on this machine
  if (isLoopback(realm) && !isLoopback(new URL(endpoint.origin)))
    throw fail(`is on this machine: ${firstLine(realm.origin)}`);
  return { realm, service: parameters.get("service") };
}

async function requestToken(
  server: TokenServer,
  scopes: readonly string[],
  credential: Exclude<Credential, { kind: "registry-token" }> | undefined,
  target: Target,
  context: { readonly dispatcher: Dispatcher; readonly signal: AbortSignal },
): Promise<{ readonly token: string; readonly seconds: number }> {
  const url = new URL(server.realm);
  const fields = new URLSearchParams();
  if (server.service !== undefined) fields.set("service", server.service);
  if (credential?.kind === "identity-token") {
    fields.set("grant_type", "refresh_token");
    fields.set("client_id", clientId);
    fields.set("scope", scopes.join(" "));
    fields.set("refresh_token", credential.token);
  } else {
    for (const [name, value] of fields) url.searchParams.set(name, value);
    for (const scope of scopes) url.searchParams.append("scope", scope);
  }
  const post = credential?.kind === "identity-token";
  try {
    const response = await request(url, {
      dispatcher: context.dispatcher,
      signal: AbortSignal.any([context.signal, AbortSignal.timeout(tokenSeconds * 1000)]),
      method: post ? "POST" : "GET",
      headers: {
        ...(post && { "content-type": "application/x-www-form-urlencoded" }),
        ...(credential?.kind === "basic" && { authorization: `Basic ${basicOf(credential)}` }),
      },
      ...(post && { body: fields.toString() }),
    });
    const { statusCode, headers, body } = response;
    if (statusCode === 200) return parseToken(await readBytes(body, maxAnswerBytes), target);
    await discard(body);
    const message = `from its token server ${url.host}`;
    const failure = [401, 403, 429].includes(statusCode)
      ? refusalFailure({ status: statusCode, codes: [], message, authenticated: credential !== undefined }, target)
      : infrastructureError(
          `the registry ${target.host} gave no access to ${target.repository}: ${statusCode} ${message}`,
        );
    throw isTransientStatus(statusCode)
      ? new TransientFailure(failure, parseRetryAfter(headerOf(headers, "retry-after")))
      : failure;
  } catch (error) {
    if (context.signal.aborted) throw interrupted();
    if (error instanceof Error && error.name === "TimeoutError") {
      throw infrastructureError(
        `the token server ${url.host} of the registry ${target.host} did not answer within ${tokenSeconds} seconds`,
      );
    }
    throw error instanceof TransientFailure || error instanceof RefoundryError
      ? error
      : networkFailure(error, target, url.host);
  }
}

function parseToken(bytes: Buffer | undefined, target: Target): { token: string; seconds: number } {
  let answer: unknown;
  try {
    answer = JSON.parse(bytes?.toString("utf8") ?? "");
  } catch {
    // a syntax error would quote a part of the token
  }
  const fields = typeof answer === "object" && answer !== null ? (answer as Readonly<Record<string, unknown>>) : {};
  const token = fields["token"] ?? fields["access_token"];
  if (typeof token !== "string")
    throw infrastructureError(`the token server of the registry ${target.host} answered without a token`);
  const seconds = fields["expires_in"];
  // the token specification's default is 60 seconds
  return {
    token: checkedToken(token, target),
    seconds: typeof seconds === "number" && seconds > 0 ? Math.min(seconds, 86_400) : 60,
  };
}

function checkedToken(token: string, target: Target): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw infrastructureError(`the token for the registry ${target.host} cannot go into a header`);
}

/** The value, or `interrupted` as soon as the signal aborts; the work itself goes on for others. */
async function orAborted<T>(value: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return value;
  if (signal.aborted) throw interrupted();
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(interrupted());
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([value, promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
