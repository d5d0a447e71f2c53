import type { Dispatcher } from "undici";
import type { RegistryReference } from "../reference.ts";
import type { Repository } from "../repository.ts";
import { createAuthorizer } from "./authorizer.ts";
import { type CredentialSource, dockerConfigCredentials } from "./credentials.ts";
import { createDispatchers } from "./dispatcher.ts";
import { endpointOf, type PlainHttp } from "./endpoint.ts";
import { type Connection, defaultTimeouts, type Timeouts } from "./exchange.ts";
import { openRepository } from "./repository.ts";
import { defaultRetryPolicy, type RetryPolicy } from "./retry.ts";

/** A client of registries (distribution-spec); keeps tokens and connections until it is closed. */
export interface RegistryClient {
  /** The repository that a reference names; its tag and digest do not matter. */
  repository(reference: Pick<RegistryReference, "host" | "repository">): Repository;
  /** Ends all connections, also those in use. */
  close(): Promise<void>;
}

/** What a client is made with; the defaults suit a command line. */
export interface RegistryClientOptions {
  /** Where proxies, certificates and Docker's configuration are looked up; this process's environment by default. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Carries the requests, and is not closed with the client. By default one is made at the first request. */
  readonly dispatcher?: Dispatcher;
  /** By default what `docker login` keeps. */
  readonly credentials?: CredentialSource;
  /** Without TLS to loopback hosts (the default), or never; to other hosts always with TLS. */
  readonly plainHttp?: PlainHttp;
  readonly retry?: RetryPolicy;
  readonly timeouts?: Timeouts;
  /** Blobs larger than this are sent so that a broken transfer goes on where it stopped; 64 MiB by default. */
  readonly resumableBytes?: number;
}

/** Makes a client; nothing is read or sent before a repository is used. The caller closes it. */
export function createRegistryClient(options: RegistryClientOptions = {}): RegistryClient {
  const { env = process.env, plainHttp = "loopback", retry = defaultRetryPolicy } = options;
  const { timeouts = defaultTimeouts, resumableBytes = 64 * 1024 * 1024 } = options;
  const credentials = options.credentials ?? dockerConfigCredentials(env);
  const closing = new AbortController();
  const connections = new Map<string, Connection>();
  const own = createDispatchers(env);

  function connect(host: string): Connection {
    const existing = connections.get(host);
    if (existing) return existing;
    const endpoint = endpointOf(host, plainHttp);
    const given = options.dispatcher;
    const dispatcher = given ? async (): Promise<Dispatcher> => given : own.of(endpoint);
    const authorizer = createAuthorizer({ endpoint, credentials, dispatcher, closing: closing.signal });
    const connection = { endpoint, authorizer, dispatcher, timeouts, resumableBytes, listings: new Map() };
    connections.set(host, connection);
    return connection;
  }

  return {
    repository: ({ host, repository }) => openRepository(connect(host), repository, retry),
    async close() {
      closing.abort();
      await own.destroy();
    },
  };
}
