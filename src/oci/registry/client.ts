import type { Dispatcher } from "undici";
import type { RegistryReference } from "../reference.ts";
import { createAuthorizer } from "./authorizer.ts";
import { type CredentialSource, dockerConfigCredentials } from "./credentials.ts";
import { createDefaultDispatcher } from "./dispatcher.ts";
import { endpointOf, type PlainHttp } from "./endpoint.ts";
import type { Connection } from "./exchange.ts";
import { openRepository, type RegistryRepository } from "./repository.ts";
import { defaultRetryPolicy, type RetryPolicy } from "./retry.ts";

/** A client of registries (distribution-spec); keeps tokens and connections until it is closed. */
export interface RegistryClient {
  /** The repository that a reference names; its tag and digest do not matter. */
  repository(reference: Pick<RegistryReference, "host" | "repository">): RegistryRepository;
  /** Ends all connections, also those in use. */
  close(): Promise<void>;
}

/** What a client is made with; the defaults suit a command line. */
export interface RegistryClientOptions {
  /** Where proxies and Docker's configuration are looked up; this process's environment by default. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Carries the requests, and is not closed with the client. By default one is made at the first request. */
  readonly dispatcher?: Dispatcher;
  /** By default what `docker login` keeps. */
  readonly credentials?: CredentialSource;
  /** Without TLS to loopback hosts (the default), or never; to other hosts always with TLS. */
  readonly plainHttp?: PlainHttp;
  readonly retry?: RetryPolicy;
}

/** Makes a client; nothing is read or sent before a repository is used. The caller closes it. */
export function createRegistryClient(options: RegistryClientOptions = {}): RegistryClient {
  const { env = process.env, plainHttp = "loopback", retry = defaultRetryPolicy } = options;
  const credentials = options.credentials ?? dockerConfigCredentials(env);
  const closing = new AbortController();
  const connections = new Map<string, Connection>();
  let own: Dispatcher | undefined;
  const dispatcher = (): Dispatcher => options.dispatcher ?? (own ??= createDefaultDispatcher(env));

  function connect(host: string): Connection {
    const existing = connections.get(host);
    if (existing) return existing;
    const endpoint = endpointOf(host, plainHttp);
    const authorizer = createAuthorizer({ endpoint, credentials, dispatcher, closing: closing.signal });
    const connection: Connection = { endpoint, authorizer, dispatcher };
    connections.set(host, connection);
    return connection;
  }

  return {
    repository: ({ host, repository }) => openRepository(connect(host), repository, retry),
    async close() {
      closing.abort();
      await own?.destroy();
    },
  };
}
