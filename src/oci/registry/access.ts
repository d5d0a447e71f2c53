import type { Connection, Exchange } from "./exchange.ts";
import type { RetryPolicy } from "./retry.ts";

/** A repository at a registry: its API root (`.../v2/NAME/`) and what its requests share. */
export interface Access {
  readonly connection: Connection;
  readonly root: URL;
  readonly host: string;
  readonly repository: string;
  readonly policy: RetryPolicy;
  readonly signal?: AbortSignal;
}

/** What a request has before its method is known. */
export type Request = Omit<Exchange, "method" | "accept">;

/** `HOST/REPOSITORY`, for messages. */
export function nameOf({ host, repository }: Access): string {
  return `${host}/${repository}`;
}

/** A request that reads: `path` is relative to the repository, `what` names it in messages. */
export function pullRequest(access: Access, path: string, what: string): Request {
  return request(access, path, what, "pull");
}

/** A request that writes. */
export function pushRequest(access: Access, path: string, what: string): Request {
  return request(access, path, what, "pull,push");
}

function request(access: Access, path: string, what: string, actions: string): Request {
  const { root, host, repository, signal } = access;
  return {
    url: new URL(path, root),
    scopes: [`repository:${repository}:${actions}`],
    target: { host, repository, what },
    ...(signal && { signal }),
  };
}
