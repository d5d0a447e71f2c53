import { infrastructureError } from "../errors.ts";
import { decompress } from "./decompress.ts";

const magic = "!<arch>\n";
const headerBytes = 60;

/**
 * The uncompressed tar of the files in a binary package (deb(5): an ar archive with a
 * member data.tar.*). Reads the package to its end, so that a digest over it is checked.
 */
export async function* openPackageData(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const input = createByteReader(chunks);
  if ((await input.take(magic.length)).toString("latin1") !== magic)
    throw infrastructureError("this is not a Debian package: it is no ar archive");
  let found = false;
  while (!(await input.ended())) {
    const header = (await input.take(headerBytes)).toString("latin1");
    const name = header.slice(0, 16).trim().replace(/\/$/, "");
    const size = Number(header.slice(48, 58).trim());
    if (!Number.isSafeInteger(size) || size < 0 || header.slice(58) !== "`\n")
      throw infrastructureError("this Debian package has a damaged member header");
    if (name.startsWith("data.tar") && !found) {
      found = true;
      yield* decompress(name, input.stream(size));
    } else for await (const _ of input.stream(size));
    if (size % 2 === 1) await input.take(1);
  }
  if (!found) throw infrastructureError("this Debian package has no data.tar member");
}

interface ByteReader {
  take(count: number): Promise<Buffer>;
  stream(count: number): AsyncGenerator<Uint8Array>;
  ended(): Promise<boolean>;
}

function createByteReader(chunks: AsyncIterable<Uint8Array>): ByteReader {
  const iterator = chunks[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array(0);
  const fill = async (): Promise<boolean> => {
    while (rest.length === 0) {
      const next = await iterator.next();
      if (next.done) return false;
      rest = next.value;
    }
    return true;
  };
  async function* stream(count: number): AsyncGenerator<Uint8Array> {
    for (let left = count; left > 0; ) {
      if (!(await fill())) throw infrastructureError("this Debian package is truncated");
      const part = rest.subarray(0, left);
      rest = rest.subarray(part.length);
      left -= part.length;
      yield part;
    }
  }
  return {
    stream,
    take: async (count) => Buffer.concat(await Array.fromAsync(stream(count))),
    ended: async () => !(await fill()),
  };
}
