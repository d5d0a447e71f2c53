import type { SecureContext } from "node:tls";
import { type Dispatcher, EnvHttpProxyAgent } from "undici";
import { readTrust } from "./trust.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The pools of connections of a client. */
export interface Dispatchers {
  /** What carries requests that have to do with a registry, by their address. */
  of(registry: { readonly host: string; readonly origin: string }): (url: URL) => Promise<Dispatcher>;
  /** Ends all connections, also those in use. */
  destroy(): Promise<void>;
}

/**
 * Pools of connections, made when they are first needed: one for all registries that
 * need no authority or client certificate of their own.
 */
export function createDispatchers(env: Environment = process.env): Dispatchers {
  const made: Dispatcher[] = [];
  let shared: Dispatcher | undefined;

  function make(context: SecureContext | undefined): Dispatcher {
    if (context === undefined && shared) return shared;
    const dispatcher = createDefaultDispatcher(env, context);
    made.push(dispatcher);
    if (context === undefined) shared = dispatcher;
    return dispatcher;
  }

  async function prepare(host: string): Promise<{ readonly registry: Dispatcher; readonly others: Dispatcher }> {
    const trust = await readTrust(env, host);
    const registry = make(trust.registry);
    return { registry, others: trust.others === trust.registry ? registry : make(trust.others) };
  }

  return {
    of({ host, origin }) {
      let prepared: ReturnType<typeof prepare> | undefined;
      return async (url) => {
        const { registry, others } = await (prepared ??= prepare(host));
        return url.origin === origin ? registry : others;
      };
    },
    async destroy() {
      await Promise.all(made.map((dispatcher) => dispatcher.destroy()));
    },
  };
}

/**
 * A pool of connections that goes through the proxies which `HTTP_PROXY`,
 * `HTTPS_PROXY` and `NO_PROXY` name (either case), never for loopback hosts.
 * `secureContext` says whom to trust, where not Node's own authorities alone.
 */
function createDefaultDispatcher(env: Environment, secureContext: SecureContext | undefined): Dispatcher {
  const variable = (name: string): string => env[name.toLowerCase()] || env[name] || "";
  const http = variable("HTTP_PROXY");
  const tls = { timeout: 20_000, ...(secureContext && { secureContext }) };
  return new EnvHttpProxyAgent({
    httpProxy: http,
    httpsProxy: variable("HTTPS_PROXY") || http,
    noProxy: [variable("NO_PROXY"), "localhost", "127.0.0.1", "[::1]"].filter((entry) => entry !== "").join(","),
    connections: 8,
    // streamed uploads are what matters here, and are best proven over HTTP/1.1
    allowH2: false,
    connect: tls,
    ...(secureContext && { requestTls: tls, proxyTls: { secureContext } }),
  });
}
