import type { GzipHeader } from "./gzip-header.ts";

/** Whose algorithm it is: the bytes of one family's encoder are never meant to be another's. */
export type EncoderFamily = "zlib" | "gnu-gzip" | "pigz" | "go" | "zstd";

/** What is said of an encoder. */
export interface EncoderIdentity {
  /** Different for every encoder, as in `zlib level 6`. */
  readonly name: string;
  readonly family: EncoderFamily;
  /** Of the algorithm, as far as it changes the bytes: `1.12` of GNU gzip, `1.27` of Go. */
  readonly version: string;
  /** As that encoder counts its levels; -2 is Go's Huffman coding only. */
  readonly level: number;
}

/** An encoder that gives the same gzip stream for the same content, whatever the sizes of the chunks. */
export interface GzipEncoder extends EncoderIdentity {
  /**
   * The content as one gzip member (RFC 1952) with exactly this header. Who stops reading
   * early calls the iterator's `return`, and what ran for it ends.
   */
  encode(chunks: AsyncIterable<Uint8Array>, header: GzipHeader, signal?: AbortSignal): AsyncIterable<Uint8Array>;
}
