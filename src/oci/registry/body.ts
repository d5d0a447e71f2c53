import type { Dispatcher } from "undici";

type Body = Dispatcher.ResponseData["body"];
type Headers = Dispatcher.ResponseData["headers"];

/** Reads a body up to `limit` bytes; undefined when it is longer. Network failures are thrown as they are. */
export async function readBytes(body: Body, limit: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Lets go of a body nobody wants, so that its connection serves the next request. */
export async function discard(body: Body): Promise<void> {
  // what matters of the response has been seen; how its body ends does not
  await body.dump({ limit: 64 * 1024 }).catch(() => {});
}

/** A header's value, the first one if it was sent more than once. */
export function headerOf(headers: Headers, name: string): string | undefined {
  const value = headers[name];
  return typeof value === "string" ? value : value?.[0];
}
