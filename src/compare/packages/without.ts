import { installedWithout } from "./apk.ts";
import { statusWithout } from "./dpkg.ts";

/**
 * A package database without the records of packages of other versions, the rest in one
 * order; nothing for a file that is none or cannot be read. `drifting` are names.
 */
export function withoutPackages(path: string, bytes: Buffer, drifting: ReadonlySet<string>): Buffer | undefined {
  return statusWithout(path, bytes, drifting) ?? installedWithout(path, bytes, drifting);
}
