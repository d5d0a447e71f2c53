import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** The path of a program that a test drives: found on PATH. Throws, never skips, when it is missing. */
export function toolPath(name: string): string {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const candidate = join(folder, name);
    try {
      accessSync(candidate, constants.X_OK);
      return candidate;
    } catch {}
  }
  throw new Error(`this test drives ${name}, which is not on PATH: run the tests with npm test, which fetches it`);
}
