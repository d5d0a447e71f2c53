import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { digestOf } from "../../src/oci/digest.ts";

/** How a registry of uploads behaves; by default as the distribution-spec wants it. */
export interface UploadHabits {
  /** The connection drops when so many bytes of a body have come, one number for each body that has a limit. */
  readonly cuts?: number[];
  /** A status for every PATCH. */
  readonly refusesPatch?: number;
  /** Forgets an upload whose connection dropped, as distribution does. */
  readonly forgets?: boolean;
  /** Keeps one byte less than it says. */
  readonly loses?: boolean;
  /** The Location header of an upload, made of its path; undefined for none. */
  readonly location?: (path: string) => string | undefined;
}

/** A registry that knows uploads only, and keeps them in memory. */
export interface UploadServer {
  readonly host: string;
  /** `METHOD` and, where there is one, the Content-Range. */
  readonly seen: string[];
  readonly blobs: ReadonlyMap<string, Buffer>;
  /** Bytes of bodies that it read. */
  received(): number;
  stop(): Promise<void>;
}

/** Starts a registry for one repository, which can be told to behave oddly. */
export async function startUploadServer(habits: UploadHabits): Promise<UploadServer> {
  const seen: string[] = [];
  const blobs = new Map<string, Buffer>();
  const uploads = new Map<string, Buffer>();
  const cuts = [...(habits.cuts ?? [])];
  let received = 0;

  /** Takes what comes; false when the connection was dropped. */
  async function take(id: string, incoming: IncomingMessage): Promise<boolean> {
    const limit = incoming.headers["content-length"] === "0" ? undefined : cuts.shift();
    let taken = 0;
    for await (const chunk of incoming as AsyncIterable<Buffer>) {
      const part = chunk.subarray(0, (limit ?? Infinity) - taken);
      uploads.set(id, Buffer.concat([uploads.get(id) ?? Buffer.of(), part]));
      taken += part.length;
      received += part.length;
      if (limit === undefined || taken < limit) continue;
      if (habits.forgets) uploads.delete(id);
      if (habits.loses) uploads.set(id, (uploads.get(id) ?? Buffer.of()).subarray(0, -1));
      incoming.socket.destroy();
      return false;
    }
    return true;
  }

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", headers } = incoming;
    const url = new URL(incoming.url ?? "", "http://x");
    seen.push([method, headers["content-range"]].filter(Boolean).join(" "));
    const answer = (status: number, fields: Readonly<Record<string, string>> = {}): void =>
      void response.writeHead(status, { ...fields, connection: "close" }).end();
    if (method === "HEAD") {
      const blob = blobs.get(url.pathname.split("/").at(-1) ?? "");
      return blob ? answer(200, { "content-length": String(blob.length) }) : answer(404);
    }
    if (method === "POST") uploads.set("u1", Buffer.of());
    const upload = uploads.get("u1");
    if (!upload || (method !== "POST" && url.searchParams.get("state") !== "kept")) return answer(404);
    const path = `${url.pathname.split("/blobs/")[0]}/blobs/uploads/u1?state=kept`;
    const location = (habits.location ?? ((text) => text))(path);
    const where = { ...(location !== undefined && { location }) };
    if (method === "POST") return answer(202, where);
    const range = { range: `0-${Math.max(0, upload.length + (habits.loses ? 1 : 0) - 1)}` };
    if (method === "GET") return answer(204, { ...where, ...range });
    if (method === "PATCH") {
      if (habits.refusesPatch !== undefined) return answer(habits.refusesPatch);
      const from = /^([0-9]+)-/.exec(headers["content-range"] ?? "")?.[1];
      if (Number(from ?? 0) !== upload.length + (habits.loses && from !== undefined ? 1 : 0)) return answer(416);
    }
    if (!(await take("u1", incoming))) return;
    const bytes = uploads.get("u1") ?? Buffer.of();
    if (method === "PATCH") return answer(202, { ...where, range: `0-${bytes.length - (habits.loses ? 0 : 1)}` });
    const digest = url.searchParams.get("digest") ?? "";
    if (digestOf(bytes) !== digest) return answer(400);
    blobs.set(digest, bytes);
    uploads.delete("u1");
    answer(201, { "docker-content-digest": digest });
  }

  const server = createServer((incoming, response) => void handle(incoming, response).catch(() => response.destroy()));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    blobs,
    received: () => received,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
