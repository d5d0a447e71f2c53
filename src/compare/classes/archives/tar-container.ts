import { RefoundryError } from "../../../errors.ts";
import { readTar, type TarEntry } from "../../../oci/tar/read.ts";
import { canonicalForm, type ContentClass, type NormaliseContext } from "../class.ts";

/** Tar archives inside of files. */
export const tarContainer: ContentClass = {
  name: "tar-container",
  version: 1,
  meaning: "a tar archive with other times, another order of entries, other names of owners or another dialect",
  normalises: "entries are sorted by name and compared by type, mode, ids, link target, device, attributes and content",
  safety:
    "unpackers give the same files; archives with a name given twice, global records or hard links to later entries are not explained",
  applies: ({ bytes }) => bytes.toString("latin1", 257, 262) === "ustar",
  async normalise({ bytes }, context) {
    const entries = new Map<string, Buffer>();
    try {
      for await (const entry of readTar(only(bytes))) {
        const isLate = entry.type === "hardlink" && !entries.has(keyOf(entry.linkName));
        if (entries.has(keyOf(entry.path)) || entry.globalPax.size > 0 || isLate) return undefined;
        entries.set(keyOf(entry.path), await describe(entry, context));
      }
    } catch (error) {
      if (error instanceof RefoundryError) return undefined;
      throw error;
    }
    const parts = [...entries]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([path, described]) => [path, described]);
    return canonicalForm("tar", parts);
  },
};

function keyOf(path: string): string {
  return path.replace(/^(?:\.\/)+/, "").replace(/\/+$/, "");
}

async function describe(entry: TarEntry, context: NormaliseContext): Promise<Buffer> {
  const { type, mode, uid, gid, deviceMajor, deviceMinor } = entry;
  const isFile = type === "file";
  if (isFile) context.spend(entry.size);
  const content = isFile ? Buffer.concat(await Array.fromAsync(entry.content)) : Buffer.alloc(0);
  const linkName = type === "symlink" ? entry.linkName : type === "hardlink" ? keyOf(entry.linkName) : "";
  const xattrs = [...entry.xattrs].toSorted(([a], [b]) => (a < b ? -1 : 1)).flat();
  const device = type === "character-device" || type === "block-device" ? `${deviceMajor}:${deviceMinor}` : "";
  return canonicalForm("entry", [
    `${type} ${mode & 0o7777} ${uid}:${gid} ${device}`,
    linkName,
    canonicalForm("xattrs", xattrs),
    isFile ? await context.member(entry.path, content) : "",
  ]);
}

async function* only(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}
