/** Where a registry's API is. */
export interface Endpoint {
  /** The registry as people name it: `docker.io`, `registry.example:5000`. */
  readonly host: string;
  /** `https://registry-1.docker.io`, without a slash at the end. */
  readonly origin: string;
}

/** When a registry is spoken to without TLS: on loopback addresses, or not even there. */
export type PlainHttp = "loopback" | "never";

/** The API endpoint of a registry host; Docker Hub's is not at its own name. */
export function endpointOf(host: string, plainHttp: PlainHttp): Endpoint {
  const apiHost = host === "docker.io" ? "registry-1.docker.io" : host;
  const secure = new URL(`https://${apiHost}`);
  if (plainHttp === "never" || !isLoopback(secure)) return { host, origin: secure.origin };
  return { host, origin: new URL(`http://${apiHost}`).origin };
}

/** Whether a URL's host is this machine itself: `localhost`, 127.0.0.0/8 or `::1`. */
export function isLoopback(url: URL): boolean {
  const { hostname } = url;
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.[0-9]{1,3}){3}$/.test(hostname);
}

/** Whether what is sent to a URL cannot be read on the way: https, or http that stays on this machine. */
export function isPrivateTransport(url: URL): boolean {
  return url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url));
}
