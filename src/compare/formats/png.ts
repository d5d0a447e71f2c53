import { crc32 } from "node:zlib";

/** A chunk of a PNG file; `type` is its four letters. */
export interface PngChunk {
  readonly type: string;
  readonly data: Buffer;
}

const signature = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");
const overhead = 12;

/** Whether the bytes begin as a PNG file does. */
export function isPng(bytes: Buffer): boolean {
  return bytes.subarray(0, signature.length).equals(signature);
}

/**
 * The chunks of a PNG file (PNG specification, third edition, section 5), IHDR first and
 * IEND last. Nothing when a length or a CRC is wrong, or anything stands behind IEND.
 */
export function readPng(bytes: Buffer): PngChunk[] | undefined {
  if (!isPng(bytes)) return undefined;
  const chunks: PngChunk[] = [];
  let at = signature.length;
  while (at + overhead <= bytes.length) {
    const length = bytes.readUInt32BE(at);
    const end = at + overhead + length;
    const type = bytes.toString("latin1", at + 4, at + 8);
    if (end > bytes.length || !/^[A-Za-z]{4}$/.test(type)) return undefined;
    if (crc32(bytes.subarray(at + 4, end - 4)) !== bytes.readUInt32BE(end - 4)) return undefined;
    if ((type === "IHDR") !== (chunks.length === 0)) return undefined;
    chunks.push({ type, data: bytes.subarray(at + 8, end - 4) });
    at = end;
    if (type === "IEND") return at === bytes.length && length === 0 ? chunks : undefined;
  }
  return undefined;
}

/** The PNG file of these chunks, CRCs made anew. */
export function writePng(chunks: readonly PngChunk[]): Buffer {
  const pieces: Buffer[] = [signature];
  for (const { type, data } of chunks) {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(data.length, 0);
    head.write(type, 4, "latin1");
    const check = Buffer.alloc(4);
    check.writeUInt32BE(crc32(data, crc32(head.subarray(4))), 0);
    pieces.push(head, data, check);
  }
  return Buffer.concat(pieces);
}
