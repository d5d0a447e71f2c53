import { delimiter } from "node:path";
import { prepareTestTools } from "./test-tools.ts";

/** Before the end-to-end tests: the programs they call, first on PATH. */
export default async function setup(): Promise<void> {
  process.env["PATH"] = [await prepareTestTools(), process.env["PATH"] ?? ""].join(delimiter);
}
