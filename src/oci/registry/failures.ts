import { errorCode, infrastructureError, messageOf, type RefoundryError } from "../../errors.ts";

/** A failure that may pass by itself; carries what to say when it does not. */
export class TransientFailure extends Error {
  readonly failure: RefoundryError;
  /** Seconds the server asks us to wait. */
  readonly retryAfter: number | undefined;

  constructor(failure: RefoundryError, retryAfter?: number) {
    super(failure.message, { cause: failure });
    this.name = "TransientFailure";
    this.failure = failure;
    this.retryAfter = retryAfter;
  }
}

/** What a request was about, for messages. */
export interface Target {
  /** The registry as people name it. */
  readonly host: string;
  readonly repository: string;
  /** `manifest 1.2`, `blob sha256:...`. */
  readonly what: string;
}

/** What a server said when it refused. */
export interface Refusal {
  readonly status: number;
  /** The distribution-spec's error codes, `NAME_UNKNOWN` and others. */
  readonly codes: readonly string[];
  /** The server's own words, harmless to print. */
  readonly message: string;
  /** Another host that a redirect led to. */
  readonly storageHost?: string;
  /** Whether credentials of the user's were used. */
  readonly authenticated: boolean;
}

const transientCodes: ReadonlySet<string> = new Set([
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "EAI_AGAIN",
  "UND_ERR_SOCKET",
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
  "UND_ERR_RES_CONTENT_LENGTH_MISMATCH",
]);

const certificateCodes = /CERT|SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET_ISSUER)|ERR_TLS_/;

/** The command that logs in to a registry. */
function loginCommand(host: string): string {
  return host === "docker.io" ? "docker login" : `docker login ${host}`;
}

/**
 * What a failed connection or a broken transfer means. `server` is the host that was
 * spoken to, which is not always the registry. A {@link TransientFailure} if trying again may help.
 */
export function networkFailure(error: unknown, target: Target, server: string): RefoundryError | TransientFailure {
  const code = codeOf(error);
  const to = server === target.host ? `the registry ${server}` : `${server} (for the registry ${target.host})`;
  const doing = `${target.what} of ${target.host}/${target.repository}`;
  const failure = (reason: string, hint: string): RefoundryError =>
    infrastructureError(`${doing}: ${reason}`, { hint, cause: error });
  if (code === "ENOTFOUND")
    return failure(`${to} is unknown: no address has this name`, "check the spelling of the host and the name service");
  if (code === "ECONNREFUSED")
    return failure(`${to} refuses connections`, "check that the registry runs, and its port");
  if (code === "EHOSTUNREACH" || code === "ENETUNREACH")
    return failure(`${to} cannot be reached`, "check the network and the proxy settings");
  if (code === "EPROTO" || code.startsWith("ERR_SSL")) {
    return failure(
      `${to} does not speak TLS as expected (${code})`,
      "plain http is spoken only to loopback addresses; give the registry TLS",
    );
  }
  if (certificateCodes.test(code)) {
    return failure(
      `the TLS certificate of ${to} is not trusted (${code})`,
      "name the authority that signed it: NODE_EXTRA_CA_CERTS=/path/to/ca.pem",
    );
  }
  const general = failure(
    `the connection to ${to} failed: ${code || firstLine(messageOf(error))}`,
    "run the same command again; check the network if it persists",
  );
  return transientCodes.has(code) ? new TransientFailure(general) : general;
}

/** The code of an error or of what caused it. */
function codeOf(error: unknown): string {
  for (let inner = error, depth = 0; inner instanceof Error && depth < 5; inner = inner.cause, depth++) {
    const code = errorCode(inner);
    if (code !== undefined) return code;
  }
  return "";
}

/** What a refusal means, in one message that names registry and repository. */
export function refusalFailure(refusal: Refusal, target: Target): RefoundryError {
  const { status, codes, message, authenticated, storageHost } = refusal;
  const name = `${target.host}/${target.repository}`;
  const said = [codes.join(", "), message].filter((part) => part !== "").join(": ");
  const answer = `${status}${said && ` ${said}`}`;
  if (storageHost !== undefined) {
    return infrastructureError(
      `${storageHost}, where ${target.host} keeps the ${target.what} of ${name}, answered ${answer}`,
    );
  }
  if (status === 429 || codes.includes("TOOMANYREQUESTS")) {
    const hint = authenticated
      ? "try again later"
      : `try again later; logged-in users may have a higher limit: ${loginCommand(target.host)}`;
    return infrastructureError(
      `the registry ${target.host} limits requests, also for the ${target.what} of ${name} (${answer})`,
      { hint },
    );
  }
  if (/quota|storage limit|limit exceeded|upper limit/i.test(message) || status === 507) {
    return infrastructureError(`the registry ${target.host} has no room left for ${name} (${answer})`, {
      hint: "free space in the registry, or have its quota raised",
    });
  }
  if (status === 401 || status === 403) {
    const why = authenticated ? "the credentials we have do not suffice" : "we have no credentials for it";
    return infrastructureError(
      `the registry ${target.host} refuses access to ${name} (${target.what}): ${why} (${answer})`,
      {
        hint: `log in with: ${loginCommand(target.host)}`,
      },
    );
  }
  if (status === 404 && codes.includes("NAME_UNKNOWN")) {
    return infrastructureError(`the registry ${target.host} has no repository ${target.repository} (${answer})`, {
      hint: "check the spelling; some registries say this of private repositories too",
    });
  }
  if (status === 404)
    return infrastructureError(`${name} has no ${target.what} (${answer})`, { hint: "check the tag or digest" });
  if (status === 413)
    return infrastructureError(
      `the registry ${target.host} finds the ${target.what} for ${name} too large (${answer})`,
    );
  return infrastructureError(`the registry ${target.host} answered ${answer} for the ${target.what} of ${name}`);
}

/** Whether trying again may help. */
export function isTransientStatus(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && status !== 501 && status !== 505 && status !== 507);
}

/** Text from outside made fit for one line of a terminal: no control characters, at most 200 characters. */
export function firstLine(text: string): string {
  const clean = text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ").trim();
  return clean.length > 200 ? `${clean.slice(0, 200)}...` : clean;
}
