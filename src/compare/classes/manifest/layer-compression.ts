import type { ClassDescription } from "../class.ts";

/** A layer's tar is the same and its blob is not: another encoder, level or gzip header. */
export const layerCompression: ClassDescription = {
  name: "layer-compression",
  version: 1,
  meaning: "a layer's tar is the same and its blob is not: another encoder, level or gzip header",
  normalises: "both blobs are decompressed and the tars have one sha256, the diffID",
  safety: "runtimes unpack the tar; the compressed bytes only decide what is stored and transferred",
};
