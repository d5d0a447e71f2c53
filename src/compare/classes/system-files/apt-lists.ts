import type { ContentClass, NamedContent, NormaliseContext } from "../class.ts";
import { isLz4Frame, readLz4Frame } from "./lz4-frame.ts";
import { countStanzas } from "./stanzas.ts";
import { hasOnlyLines } from "./text-lines.ts";

const folder = "var/lib/apt/lists/";
const listName = /^(?:partial\/)?[^/]+_(Packages|Sources|Release|InRelease|Translation-[A-Za-z_@-]+)(\.lz4)?$/;
const signatureName = /^(?:partial\/)?[^/]+_Release\.gpg$/;
const maxBytes = 128 * 1024 * 1024;
const neededFields: ReadonlyMap<string, readonly string[]> = new Map([
  ["Packages", ["package", "version", "filename"]],
  ["Sources", ["package", "version", "directory"]],
  ["Translation", ["package", "description-md5"]],
  ["Release", ["date"]],
]);
const signatureStart = "-----BEGIN PGP SIGNATURE-----\n";
const signedText = /^-----BEGIN PGP SIGNED MESSAGE-----\n(?:Hash: [A-Za-z0-9, -]+\n)+\n/;

/** The indexes of repositories that APT fetched. */
export const aptLists: ContentClass = {
  name: "apt-lists",
  version: 1,
  meaning: "APT's lists of what repositories have are there, or are of another day",
  normalises:
    "Packages, Sources, Translation, Release and InRelease under /var/lib/apt/lists (also as LZ4 frames), whose " +
    "stanzas have the fields of their kind, PGP signatures, and an empty lock count as nothing",
  safety:
    "apt-get update fetches them anew; without them nothing can be installed before that, and with older ones an " +
    "older package may be looked for; no installed program reads them",
  applies: ({ path }) => path.startsWith(folder) && kindOf(path) !== undefined,
  normalise(file, context) {
    const kind = kindOf(file.path);
    if (kind === "lock") return file.bytes.length === 0 ? "absent" : undefined;
    if (kind === "signature") return isSignature(file.bytes.toString("latin1")) ? "absent" : undefined;
    const text = kind && readText(file, context);
    if (kind === undefined || !text) return undefined;
    return isList(kind, text) ? "absent" : undefined;
  },
};

function kindOf(path: string): string | undefined {
  const name = path.slice(folder.length);
  if (name === "lock") return "lock";
  return signatureName.test(name) ? "signature" : listName.exec(name)?.[1]?.replace(/-.*/, "");
}

function readText({ path, bytes }: NamedContent, context: NormaliseContext): Buffer | undefined {
  if (!path.endsWith(".lz4")) return bytes;
  const text = isLz4Frame(bytes) ? readLz4Frame(bytes, Math.min(maxBytes, context.remaining())) : undefined;
  if (text) context.spend(text.length);
  return text;
}

/** Lists of a repository that has nothing are empty; what says which lists there are never is. */
function isList(kind: string, text: Buffer): boolean {
  if (kind === "InRelease") return isSignedRelease(text);
  const count = countStanzas(text, neededFields.get(kind) ?? []);
  return kind === "Release" ? count === 1 : count !== undefined;
}

function isSignedRelease(bytes: Buffer): boolean {
  const end = bytes.indexOf(signatureStart);
  const head = signedText.exec(bytes.toString("latin1", 0, 300))?.[0];
  if (end === -1 || head === undefined || head.length > end) return false;
  const release = bytes.subarray(head.length, end);
  return countStanzas(release, neededFields.get("Release") ?? []) === 1 && isSignature(bytes.toString("latin1", end));
}

/** ASCII armour (RFC 4880, section 6.2), once or more often. */
function isSignature(text: string): boolean {
  const armour = /^(?:[A-Za-z]+: [\x20-\x7e]+|[A-Za-z0-9+/=]{1,76}|-----(?:BEGIN|END) PGP SIGNATURE-----|)$/;
  const isFramed = text.startsWith(signatureStart) && text.endsWith("-----END PGP SIGNATURE-----\n");
  return isFramed && hasOnlyLines(Buffer.from(text, "latin1"), (line) => armour.test(line));
}
