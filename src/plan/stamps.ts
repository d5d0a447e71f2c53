import { type BigIntStats, lstatSync } from "node:fs";
import { errorCode } from "../errors.ts";

/** Says of files whether they can have changed since they were looked at, by what stat says of them. */
export interface Stamps {
  /** Of a file that was looked at already. */
  of(stats: BigIntStats): string;
  /** Of the file at a path, asked once; `absent` where there is none. */
  at(path: string): string;
}

/** Some file systems keep times in whole seconds. */
const settledMilliseconds = 2000n;

/**
 * Stamps of files as they are now. A file that was changed a moment ago could change again
 * within the same tick of its clock: its stamp equals no other.
 */
export function createStamps(nowMilliseconds: number): Stamps {
  const known = new Map<string, string>();
  const settled = BigInt(Math.trunc(nowMilliseconds)) - settledMilliseconds;
  const of = ({ size, mtimeNs, ctimeNs, ino, mode }: BigIntStats): string => {
    const stamp = `${size} ${mtimeNs} ${ctimeNs} ${ino} ${mode}`;
    return ctimeNs / 1_000_000n > settled ? `${stamp} unsettled ${nowMilliseconds}` : stamp;
  };
  return {
    of,
    at(path) {
      let stamp = known.get(path);
      if (stamp === undefined) {
        stamp = stampAt(path, of);
        known.set(path, stamp);
      }
      return stamp;
    },
  };
}

function stampAt(path: string, of: Stamps["of"]): string {
  try {
    return of(lstatSync(path, { bigint: true }));
  } catch (error) {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR") return "absent";
    throw error;
  }
}
