import type { TarHeader } from "../oci/tar/walk.ts";
import { isWhiteout } from "./entry.ts";

/**
 * What of a layer's entries does not count for equality and is told all the same, each
 * as a number that two layers share when they agree in it. They are for telling only:
 * a collision keeps back a remark and never makes anything equal.
 */
export type Fingerprints = Readonly<Record<FingerprintName, number>>;

/** The classes of differences that fingerprints stand for. */
export const fingerprintNames = [
  "entry-order",
  "entry-times",
  "whiteout-times",
  "pax-times",
  "name-prefix",
  "mode-type-bits",
  "owner-names",
  "tar-dialect",
  "tar-padding",
] as const;
type FingerprintName = (typeof fingerprintNames)[number];

/** Gathers fingerprints of a layer while it is walked. */
export interface FingerprintCollector {
  add(header: TarHeader, path: string): void;
  /** `padding`: bytes after the last entry. */
  finish(padding: number): Fingerprints;
}

/** An empty collector. */
export function createFingerprintCollector(): FingerprintCollector {
  const sums = Object.fromEntries(fingerprintNames.map((name) => [name, 0])) as Record<FingerprintName, number>;
  // a sum does not depend on the entries' order, which has a fingerprint of its own
  const mix = (name: FingerprintName, path: number, value: string): void => {
    sums[name] = (sums[name] + hashText(value, path)) % 2 ** 52;
  };
  return {
    add(header, path) {
      const name = hashText(path, 0);
      sums["entry-order"] = hashText(String(sums["entry-order"]), name);
      mix(isWhiteout(path) ? "whiteout-times" : "entry-times", name, header.mtime);
      mix("owner-names", name, `${header.uname}:${header.gname}`);
      mix("tar-dialect", name, header.dialect);
      if (header.mode > 0o7777) mix("mode-type-bits", name, String(header.mode >>> 12));
      if (header.rawPath[0] === 0x2e && header.rawPath[1] === 0x2f) mix("name-prefix", name, "./");
      if (header.rawPath[0] === 0x2f) mix("name-prefix", name, "/");
      for (const key of ["atime", "ctime"]) {
        const value = header.pax.get(key);
        if (value) mix("pax-times", name, `${key} ${value.toString("latin1")}`);
      }
    },
    finish: (padding) => ({ ...sums, "tar-padding": padding }),
  };
}

/** FNV-1a over UTF-16 units, in two halves of 25 bits: sums of two stay exact. */
function hashText(text: string, seed: number): number {
  let low = (0x811c9dc5 ^ seed) >>> 0;
  let high = (0x01000193 ^ Math.floor(seed / 2 ** 25)) >>> 0;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    low = Math.imul(low ^ unit, 0x01000193) >>> 0;
    high = Math.imul(high ^ unit, 0x5bd1e995) >>> 0;
  }
  return (high & 0x1ffffff) * 2 ** 25 + (low & 0x1ffffff);
}
