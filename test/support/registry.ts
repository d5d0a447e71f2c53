import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { createServer as createTlsServer, type ServerOptions } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageOf } from "../../src/errors.ts";
import { run } from "../../src/process/run.ts";
import { toolPath } from "./tools.ts";

/** Whom a registry with `auth: "htpasswd"` knows. */
export const testAccount = { username: "tester", password: "correct horse" } as const;
// htpasswd knows bcrypt only, which node:crypto lacks: the account's hash, made beforehand
const htpasswd = "tester:$2b$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2\n";

/** A running registry. */
export interface TestRegistry {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** The folder that holds its blobs. */
  readonly storage: string;
  /** Ends the program and removes its folder. */
  stop(): Promise<void>;
}

/** What a registry may have besides its defaults. */
export interface RegistryFeatures {
  readonly auth?: "htpasswd";
  /** Paths of files in PEM form; with authorities whose clients alone it serves. */
  readonly tls?: { readonly certificate: string; readonly key: string; readonly clientcas?: readonly string[] };
}

/** Starts distribution's registry on a free port of loopback, with its blobs in a new temporary folder. */
export async function startRegistry(options: RegistryFeatures = {}): Promise<TestRegistry> {
  const folder = await mkdtemp(join(tmpdir(), "refoundry-registry-"));
  const storage = join(folder, "storage");
  await writeFile(join(folder, "htpasswd"), htpasswd);
  // distribution reads YAML, of which JSON is a part
  const config = {
    version: 0.1,
    log: { level: "info", formatter: "text" },
    storage: { filesystem: { rootdirectory: storage }, delete: { enabled: true } },
    http: { addr: "127.0.0.1:0", secret: "shared by nobody", ...(options.tls && { tls: options.tls }) },
    ...(options.auth === "htpasswd" && { auth: { htpasswd: { realm: "test", path: join(folder, "htpasswd") } } }),
  };
  const configPath = join(folder, "config.yml");
  await writeFile(configPath, JSON.stringify(config));
  const listening = Promise.withResolvers<string>();
  const stopping = new AbortController();
  const said: string[] = [];
  const ended = run({
    file: toolPath("docker-registry"),
    args: ["serve", configPath],
    signal: stopping.signal,
    onStderrLine: (line) => {
      said.push(line);
      const address = /listening on (127\.0\.0\.1:[0-9]+)/.exec(line)?.[1];
      if (address !== undefined) listening.resolve(address);
    },
  });
  const stop = async (): Promise<void> => {
    stopping.abort();
    await ended.catch(() => {});
    await rm(folder, { recursive: true, force: true });
  };
  ended.then(
    ({ exitCode }) =>
      listening.reject(new Error(`docker-registry ended with exit code ${exitCode}:\n${said.join("\n")}`)),
    (error: unknown) => listening.reject(new Error(`docker-registry did not start: ${messageOf(error)}`)),
  );
  try {
    const host = await withDeadline(listening.promise, 20_000, "docker-registry did not listen within 20 seconds");
    // what listens with TLS serves already
    if (!options.tls) await waitForApi(host);
    return { host, storage, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function waitForApi(host: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const status = await statusOf(`http://${host}/v2/`).catch(() => 0);
    if (status === 200 || status === 401) return;
    if (attempt === 100) throw new Error(`the registry at ${host} does not answer at /v2/`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function statusOf(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = request(url, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode ?? 0));
    });
    call.on("error", reject);
    call.end();
  });
}

async function withDeadline<T>(value: Promise<T>, milliseconds: number, message: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(message)), milliseconds);
  });
  try {
    return await Promise.race([value, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A request as a relay or server saw it. */
export interface SeenRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
}

/** What stands in front of a registry, or is a server of its own. */
export interface TestServer {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  readonly seen: SeenRequest[];
  stop(): Promise<void>;
}

/** Answers a request itself; gives false to leave it to the registry behind. */
export type Handler = (
  request: IncomingMessage,
  response: ServerResponse,
  seen: SeenRequest,
) => boolean | Promise<boolean>;

/**
 * Starts an HTTP server that records requests, lets `handle` answer, and passes the rest
 * on to `behind` (`HOST:PORT`), or says 404. `cut` names after how many bytes a relayed
 * body's connection is dropped.
 */
export async function startServer(options: {
  readonly behind?: string;
  readonly handle?: Handler;
  readonly cut?: (seen: SeenRequest) => number | undefined;
  readonly dropRange?: boolean;
  /** Speaks TLS, with these certificates. */
  readonly tls?: ServerOptions;
}): Promise<TestServer> {
  const seen: SeenRequest[] = [];
  const serve = (incoming: IncomingMessage, response: ServerResponse): void => {
    const { authorization, range } = incoming.headers;
    const entry: SeenRequest = { method: incoming.method ?? "", path: incoming.url ?? "", authorization, range };
    seen.push(entry);
    void (async () => {
      if (await options.handle?.(incoming, response, entry)) return;
      if (options.behind === undefined) response.writeHead(404).end();
      else relay(incoming, response, options.behind, options.cut?.(entry), options.dropRange ?? false);
    })().catch((error: unknown) => response.destroy(new Error(messageOf(error))));
  };
  const server = options.tls ? createTlsServer(options.tls, serve) : createServer(serve);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    host: `127.0.0.1:${port}`,
    seen,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function relay(
  incoming: IncomingMessage,
  response: ServerResponse,
  behind: string,
  cut: number | undefined,
  dropRange: boolean,
): void {
  const { range: _, ...withoutRange } = incoming.headers;
  const headers = dropRange ? withoutRange : incoming.headers;
  const call = request(`http://${behind}${incoming.url}`, { method: incoming.method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    if (cut === undefined) return void answer.pipe(response);
    let left = cut;
    answer.on("data", (chunk: Buffer) => {
      if (left <= 0) return;
      const part = chunk.subarray(0, left);
      left -= part.length;
      response.write(part, () => {
        if (left <= 0) response.socket?.destroy();
      });
    });
  });
  call.on("error", () => response.destroy());
  incoming.pipe(call);
}
