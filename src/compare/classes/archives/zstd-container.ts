import { promisify } from "node:util";
import { zstdDecompress } from "node:zlib";
import { errorCode, RefoundryError } from "../../../errors.ts";
import { zstdFrames } from "../../../oci/zstd.ts";
import { canonicalForm, type ContentClass } from "../class.ts";

const decompress = promisify(zstdDecompress);
const frameMagic = 0xfd2fb528;
const maxFrames = 10_000;

/** Files compressed with Zstandard. */
export const zstdContainer: ContentClass = {
  name: "zstd-container",
  version: 1,
  meaning: "a zstd file of another level, encoder or number of frames",
  normalises: "frames (RFC 8878) are decompressed, and what they hold is compared as a file of its own",
  safety: "whoever reads the file reads what is inside; bytes that are no frame make it another file",
  applies: ({ bytes }) => bytes.length > 8 && bytes.readUInt32LE(0) === frameMagic,
  async normalise({ path, bytes }, context) {
    const contents: Buffer[] = [];
    try {
      for await (const frame of zstdFrames(only(bytes), "a zstd file")) {
        if (contents.length >= maxFrames || context.remaining() <= 0) return undefined;
        const whole = Buffer.concat(await Array.fromAsync(frame));
        const content = await decompress(whole, { maxOutputLength: context.remaining() });
        context.spend(content.length);
        contents.push(content);
      }
    } catch (error) {
      // what `spend` throws is not ours, and has no code
      if (error instanceof RefoundryError || errorCode(error) !== undefined) return undefined;
      throw error;
    }
    const name = path.replace(/^.*\//, "").replace(/\.zst$/, "");
    return canonicalForm("zstd", [await context.member(name, Buffer.concat(contents))]);
  },
};

async function* only(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}
