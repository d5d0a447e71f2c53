import { canonicalForm, type ContentClass } from "../class.ts";

const paths: ReadonlySet<string> = new Set([
  "var/lib/systemd/random-seed",
  "var/lib/urandom/random-seed",
  "var/lib/misc/random-seed",
]);
const minBytes = 256;
const maxBytes = 4096;

/** What the kernel's random numbers are to begin with. */
export const randomSeed: ContentClass = {
  name: "random-seed",
  version: 1,
  meaning: "the seed for the kernel's random numbers is another one",
  normalises: "256 to 4096 bytes, among which none is more frequent than chance makes it, become their number",
  safety: "the bytes are random and are mixed into the kernel's own pool; no program reads anything else from them",
  warning: "a random seed in an image is known to everybody who has the image",
  applies: ({ path }) => paths.has(path),
  normalise({ path, bytes }) {
    if (!paths.has(path) || bytes.length < minBytes || bytes.length > maxBytes || !isRandom(bytes)) return undefined;
    return canonicalForm("random-seed", [String(bytes.length)]);
  },
};

/** Text, programs and zeros have bytes that are far more frequent than a 256th. */
function isRandom(bytes: Buffer): boolean {
  const counts = new Uint16Array(256);
  for (const byte of bytes) counts[byte] = (counts[byte] ?? 0) + 1;
  return Math.max(...counts) <= bytes.length / 64 + 6;
}
