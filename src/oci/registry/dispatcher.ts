import { type Dispatcher, EnvHttpProxyAgent } from "undici";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * A pool of connections that goes through the proxies which `HTTP_PROXY`,
 * `HTTPS_PROXY` and `NO_PROXY` name (either case), never for loopback hosts.
 * The caller closes it.
 */
export function createDefaultDispatcher(env: Environment = process.env): Dispatcher {
  const variable = (name: string): string => env[name.toLowerCase()] || env[name] || "";
  const http = variable("HTTP_PROXY");
  return new EnvHttpProxyAgent({
    httpProxy: http,
    httpsProxy: variable("HTTPS_PROXY") || http,
    noProxy: [variable("NO_PROXY"), "localhost", "127.0.0.1", "[::1]"].filter((entry) => entry !== "").join(","),
    connections: 8,
    // streamed uploads are what matters here, and are best proven over HTTP/1.1
    allowH2: false,
    connect: { timeout: 20_000 },
  });
}
