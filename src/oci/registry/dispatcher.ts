import type { SecureContext } from "node:tls";
import { type Dispatcher, EnvHttpProxyAgent } from "undici";
import { readAuthorities, readTrust, trusting } from "./trust.ts";

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
 * need no authority or client certificate of their own (`SSL_CERT_FILE`, `SSL_CERT_DIR`
 * and Docker's `certs.d` are honoured).
 */
export function createDispatchers(env: Environment = process.env): Dispatchers {
  const made: Dispatcher[] = [];
  let plain: Dispatcher | undefined;
  let shared: Promise<{ readonly authorities: readonly string[]; readonly dispatcher: Dispatcher }> | undefined;

  function make(context?: SecureContext): Dispatcher {
    const dispatcher = createDefaultDispatcher(env, context);
    made.push(dispatcher);
    return dispatcher;
  }

  function withoutTls(): Dispatcher {
    return (plain ??= make());
  }

  async function prepareShared(): Promise<Awaited<NonNullable<typeof shared>>> {
    const authorities = await readAuthorities(env);
    return { authorities, dispatcher: authorities.length === 0 ? withoutTls() : make(trusting(authorities)) };
  }

  async function prepare(host: string): Promise<{ readonly registry: Dispatcher; readonly others: Dispatcher }> {
    const { authorities, dispatcher } = await (shared ??= prepareShared());
    const trust = await readTrust(env, host, authorities);
    if (!trust) return { registry: dispatcher, others: dispatcher };
    const registry = make(trust.registry);
    return { registry, others: trust.others === trust.registry ? registry : make(trust.others) };
  }

  return {
    of({ host, origin }) {
      let prepared: ReturnType<typeof prepare> | undefined;
      return async (url) => {
        // reading and parsing certificates takes longer than a request on this machine
        if (url.protocol === "http:") return withoutTls();
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
