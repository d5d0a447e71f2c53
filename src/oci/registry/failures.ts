import type { Dispatcher } from "undici";
import { infrastructureError, messageOf, type RefoundryError } from "../../errors.ts";
import type { Digest } from "../digest.ts";
import { headerOf } from "./body.ts";
import { certificateFolder, closedUnanswered, codeOf, tlsProblem } from "./tls-problems.ts";

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
  /** Whether something was to be written. */
  readonly isWrite?: boolean;
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

/** The command that logs in to a registry. */
function loginCommand(host: string): string {
  return host === "docker.io" ? "docker login" : `docker login ${host}`;
}

/**
 * What a failed connection or a broken transfer means. `server` is the host that was
 * spoken to, which is not always the registry, `isTls` whether with TLS. A {@link TransientFailure} if trying again may help.
 */
export function networkFailure(
  error: unknown,
  target: Target,
  server: string,
  isTls = false,
): RefoundryError | TransientFailure {
  const code = codeOf(error);
  const to = server === target.host ? `the registry ${server}` : `${server} (for the registry ${target.host})`;
  const doing = `${target.what} of ${target.host}/${target.repository}`;
  const failure = (reason: string, hint: string): RefoundryError =>
    infrastructureError(`${doing}: ${reason}`, { hint, cause: error });
  if (code === "EAI_AGAIN")
    return new TransientFailure(
      failure(
        `the name of ${to} cannot be looked up now (${code})`,
        "check the spelling of the host and the name service",
      ),
    );
  if (code === "ENOTFOUND")
    return failure(`${to} is unknown: no address has this name`, "check the spelling of the host and the name service");
  if (code === "ECONNREFUSED")
    return failure(`${to} refuses connections`, "check that the registry runs, and its port");
  if (code === "EHOSTUNREACH" || code === "ENETUNREACH")
    return failure(`${to} cannot be reached`, "check the network and the proxy settings");
  const tls = tlsProblem(code, target.host);
  if (tls) return failure(`${tls.subject} ${to} ${tls.reason} (${code})`.trim(), tls.hint);
  if (isTls && closedUnanswered(error)) {
    return new TransientFailure(
      failure(
        `${to} closed the connection before it answered anything`,
        `run the same command again; if it persists, the server may want a client certificate: put one into ${certificateFolder(target.host)}/client.cert, and its key into client.key next to it`,
      ),
    );
  }
  const general = failure(
    `the connection to ${to} failed: ${code || firstLine(messageOf(error))}`,
    "run the same command again; check the network if it persists",
  );
  return transientCodes.has(code) ? new TransientFailure(general) : general;
}

/** What a refusal means, in one message that names registry and repository. */
export function refusalFailure(refusal: Refusal, target: Target): RefoundryError {
  const { status, codes, message, authenticated, storageHost, isWrite = false } = refusal;
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
  if (status === 401 || status === 403) return accessFailure(refusal, target, answer);
  if (status === 413 || codes.includes("SIZE_INVALID")) {
    return infrastructureError(
      `the registry ${target.host} finds the ${target.what} for ${name} too large (${answer})`,
      { hint: "have the limit raised, of the registry or of a proxy before it" },
    );
  }
  if (isWrite && (status === 405 || (status === 404 && codes.includes("UNSUPPORTED")))) {
    return infrastructureError(
      `the registry ${target.host} takes nothing for ${name} (${target.what}): it is read-only, or only a mirror (${answer})`,
      { hint: "push to another registry, or have this one made writable" },
    );
  }
  if (isWrite && status === 404 && !codes.includes("BLOB_UPLOAD_UNKNOWN")) {
    return infrastructureError(
      `the registry ${target.host} has no repository ${target.repository}, and makes none when somebody pushes to it (${answer})`,
      { hint: "create the repository first, or check the spelling" },
    );
  }
  if (status === 404 && codes.includes("NAME_UNKNOWN")) {
    return infrastructureError(`the registry ${target.host} has no repository ${target.repository} (${answer})`, {
      hint: "check the spelling; some registries say this of private repositories too",
    });
  }
  if (status === 404)
    return infrastructureError(`${name} has no ${target.what} (${answer})`, { hint: "check the tag or digest" });
  return infrastructureError(`the registry ${target.host} answered ${answer} for the ${target.what} of ${name}`, {
    hint:
      status >= 500
        ? "run the same command again later; what is whole already is not sent again"
        : "the registry may not be one, or not know this part of the distribution specification",
  });
}

function accessFailure(refusal: Refusal, target: Target, answer: string): RefoundryError {
  const { status, authenticated, isWrite = false } = refusal;
  const name = `${target.host}/${target.repository}`;
  const login = loginCommand(target.host);
  const doing = isWrite ? "does not let us write to" : "refuses access to";
  const failure = (why: string, hint: string): RefoundryError =>
    infrastructureError(`the registry ${target.host} ${doing} ${name} (${target.what}): ${why} (${answer})`, { hint });
  if (!authenticated) return failure("we have no credentials for it", `log in with: ${login}`);
  // 401 says who we are is not known, 403 that it is, and does not suffice; some registries say 401 for both
  if (status === 401) {
    return failure(
      "the credentials we have are not accepted or do not suffice",
      `check user name and password, and log in again with: ${login}`,
    );
  }
  return failure(
    "the credentials we have do not suffice",
    isWrite
      ? `log in as somebody who may push to ${target.repository}: ${login}`
      : `log in as somebody who may read it: ${login}`,
  );
}

/** Docker-Content-Digest, where a registry sends it, must be what was sent. Throws an infrastructure error otherwise. */
export function checkStoredDigest(headers: Dispatcher.ResponseData["headers"], digest: Digest, target: Target): void {
  const returned = headerOf(headers, "docker-content-digest");
  // another algorithm's digest says nothing of ours
  if (returned === undefined || returned === digest || !returned.startsWith("sha256:")) return;
  throw infrastructureError(
    `the registry ${target.host} stored the ${target.what} of ${target.host}/${target.repository} as ${firstLine(returned)}, which is not what we sent (${digest})`,
    { hint: "the registry, or a proxy before it, changes what it is sent; ask those who run it" },
  );
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
