import { createServer, type IncomingMessage, request, type ServerResponse, STATUS_CODES } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { messageOf } from "../../src/errors.ts";

/**
 * What can go wrong with one request:
 * - an answer of the proxy's own instead of the registry's, sometimes in the middle of the
 *   request's body: `429`, `429 with Retry-After`, `500`, `503`, `401`
 * - `lost answer`: the registry does what it was asked for, and a 502 or nothing comes back
 * - `cut request`, `cut answer`: the connection drops after a random number of bytes
 * - `short answer`: a body that ends early, and whose length says that it is whole
 * - `changed answer`: one byte of the body is another one
 * - `stall`: nothing comes any more, until one side gives up
 */
export type FaultKind =
  | "429"
  | "429 with Retry-After"
  | "500"
  | "503"
  | "401"
  | "lost answer"
  | "cut request"
  | "cut answer"
  | "short answer"
  | "changed answer"
  | "stall";

/** A fault as it happened. */
export interface Fault {
  readonly kind: FaultKind;
  readonly method: string;
  /** With the query. */
  readonly path: string;
}

/** A proxy that breaks some of what goes through it. */
export interface FaultyProxy {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** What went wrong until now; a change or cut of a body that is empty is none and not listed. */
  readonly faults: readonly Fault[];
  /** From now on everything goes through, or with another part of faults. */
  setRate(rate: number): void;
  stop(): Promise<void>;
}

const kinds: readonly FaultKind[] = [
  "429",
  "429 with Retry-After",
  "500",
  "503",
  "401",
  "lost answer",
  "cut request",
  "cut answer",
  "short answer",
  "changed answer",
  "stall",
];

/**
 * Starts a proxy before the server at `behind` (`HOST:PORT`). Of `rate` (0 to 1) of the
 * requests, one thing goes wrong, drawn from `kinds`; the same seed gives the same
 * decisions in the order in which requests arrive. A client that means to survive `stall`
 * needs time-outs of its own.
 */
export async function startFaultyProxy(options: {
  readonly behind: string;
  readonly seed: number;
  readonly rate: number;
  readonly kinds?: readonly FaultKind[];
}): Promise<FaultyProxy> {
  const random = createRandom(options.seed);
  const choices = options.kinds ?? kinds;
  const faults: Fault[] = [];
  const sockets = new Set<Socket>();
  let { rate } = options;
  const server = createServer((incoming, response) => {
    // always the same number of draws, so that one request's fate does not move the next one's
    const [isHit, which, where] = [random() < rate, random(), random()];
    const kind = isHit ? choices[Math.floor(which * choices.length)] : undefined;
    const happened = (what: FaultKind): void =>
      void faults.push({ kind: what, method: incoming.method ?? "", path: incoming.url ?? "" });
    handle({ incoming, response, behind: options.behind, kind, where, happened }).catch((error: unknown) =>
      response.destroy(new Error(messageOf(error))),
    );
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    host: `127.0.0.1:${port}`,
    faults,
    setRate: (next) => void (rate = next),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

interface Exchange {
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
  readonly behind: string;
  readonly kind: FaultKind | undefined;
  /** Where in the request or answer, 0 to 1. */
  readonly where: number;
  happened(kind: FaultKind): void;
}

async function handle(exchange: Exchange): Promise<void> {
  const { incoming, response, kind, where, happened } = exchange;
  switch (kind) {
    case "429":
    case "500":
    case "503":
    case "401":
      happened(kind);
      return refuse(exchange, Number(kind), kind === "401" ? { "www-authenticate": 'Basic realm="faulty"' } : {});
    case "429 with Retry-After":
      happened(kind);
      return refuse(exchange, 429, { "retry-after": where < 0.8 ? "0" : "1" });
    case "stall":
      happened(kind);
      if (where < 0.5) return void incoming.on("data", () => {});
      return; // takes nothing of the body either
    case "cut request": {
      const length = Number(incoming.headers["content-length"] ?? 0);
      happened(kind);
      return relay(exchange, { cutRequestAt: Math.floor(where * length) });
    }
    case "lost answer": {
      const { status } = await ask(exchange);
      happened(kind);
      if (where < 0.5 || status < 200) return void response.socket?.destroy();
      return void response.writeHead(502, { connection: "close" }).end();
    }
    case "cut answer":
    case "short answer":
    case "changed answer":
      return spoil(exchange, kind);
    case undefined:
      return relay(exchange, {});
    default:
      throw new Error(`unknown fault ${String(kind satisfies never)}`);
  }
}

/** Answers itself: at once, or after a part of the request's body was taken. */
async function refuse(
  { incoming, response, where }: Exchange,
  status: number,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const wanted = Math.floor(where * Number(incoming.headers["content-length"] ?? 0));
  await new Promise<void>((resolve) => {
    let taken = 0;
    const onData = (chunk: Buffer): void => {
      taken += chunk.length;
      if (taken >= wanted) resolve();
    };
    incoming.on("data", onData).on("close", resolve).on("end", resolve);
    if (wanted === 0) resolve();
  });
  const body = `{"errors":[{"code":"${status === 429 ? "TOOMANYREQUESTS" : status === 401 ? "UNAUTHORIZED" : "UNKNOWN"}","message":"a bad day"}]}`;
  response.writeHead(status, { ...headers, "content-type": "application/json", connection: "close" }).end(body);
}

interface WholeAnswer {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** The registry's whole answer. */
function ask({ incoming, behind }: Exchange): Promise<WholeAnswer> {
  return new Promise((resolve, reject) => {
    const call = request(`http://${behind}${incoming.url}`, callOptions(incoming), (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => void chunks.push(chunk));
      answer.on("error", reject);
      answer.on("end", () =>
        resolve({ status: answer.statusCode ?? 502, headers: answer.rawHeaders, body: Buffer.concat(chunks) }),
      );
    });
    call.on("error", reject);
    incoming.on("close", () => void (incoming.complete || call.destroy()));
    incoming.pipe(call);
  });
}

/** Passes the registry's answer on, not as it was. */
async function spoil(exchange: Exchange, kind: "cut answer" | "short answer" | "changed answer"): Promise<void> {
  const { incoming, response, where, happened } = exchange;
  const { status, headers, body } = await ask(exchange);
  const at = Math.floor(where * body.length);
  const fields = withoutLength(headers);
  const isWhole = kind !== "cut answer" && body.length === 0;
  if (!isWhole) happened(kind);
  if (kind === "changed answer" || isWhole) {
    const changed = Buffer.from(body);
    if (changed.length > 0) changed[at] = (changed[at] ?? 0) ^ (1 << (Math.floor(where * 7919) % 8));
    // an answer to HEAD keeps its length
    response.writeHead(status, body.length === 0 ? [...headers] : [...fields, "content-length", String(body.length)]);
    return void response.end(changed);
  }
  if (kind === "short answer") {
    response.writeHead(status, [...fields, "content-length", String(at)]);
    return void response.end(body.subarray(0, at));
  }
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`];
  for (let field = 0; field < headers.length; field += 2) lines.push(`${headers[field]}: ${headers[field + 1]}`);
  const raw = Buffer.concat([
    Buffer.from(`${lines.join("\r\n")}\r\n\r\n`),
    incoming.method === "HEAD" ? Buffer.of() : body,
  ]);
  // also in the middle of the headers
  const cutAt = Math.floor(where * raw.length);
  response.socket?.write(raw.subarray(0, cutAt), () => response.socket?.destroy());
}

function relay(exchange: Exchange, { cutRequestAt }: { readonly cutRequestAt?: number }): void {
  const { incoming, response, behind } = exchange;
  const call = request(`http://${behind}${incoming.url}`, callOptions(incoming), (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
    answer.pipe(response);
    answer.on("error", () => response.destroy());
  });
  call.on("error", () => response.destroy());
  response.on("close", () => void (response.writableFinished || call.destroy()));
  if (cutRequestAt === undefined) return void incoming.pipe(call);
  let left = cutRequestAt;
  const cut = (): void => {
    call.destroy();
    incoming.socket.destroy();
  };
  if (left === 0) return cut();
  incoming.on("data", (chunk: Buffer) => {
    if (left <= 0) return;
    const part = chunk.subarray(0, left);
    left -= part.length;
    // what comes through before the drop is the registry's to keep
    call.write(part, () => void (left <= 0 && setTimeout(cut, 5)));
  });
  incoming.on("close", () => void (incoming.complete || call.destroy()));
}

function callOptions(incoming: IncomingMessage): { method: string; headers: IncomingMessage["headers"]; agent: false } {
  // the client's Host goes on, so that the registry's addresses lead to this proxy
  const { connection: _, ...headers } = incoming.headers;
  return { method: incoming.method ?? "GET", headers, agent: false };
}

function withoutLength(headers: readonly string[]): string[] {
  const kept: string[] = [];
  for (let field = 0; field < headers.length; field += 2) {
    const [name = "", value = ""] = headers.slice(field, field + 2);
    if (!/^(content-length|transfer-encoding|connection)$/i.test(name)) kept.push(name, value);
  }
  return kept;
}

/** Numbers from 0 to 1, the same ones for the same seed (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
