import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type CliContext, runCommand } from "../../../src/commands/context.ts";
import { temporaryFolder } from "../../support/temporary.ts";

/** How a command ends whose work fails. */
async function ended(work: () => Promise<unknown>): Promise<{ readonly exitCode: unknown; readonly said: string }> {
  let said = "";
  const stream = { write: (text: string) => void (said += text) };
  const process = { stdout: stream, stderr: stream, env: {} } as unknown as CliContext["process"];
  const context: CliContext = { process, cwd: "/", signal: new AbortController().signal };
  await runCommand(context, {}, async () => {
    await work();
    return { text: "", document: {}, exitCode: 0 };
  });
  return { exitCode: process.exitCode, said };
}

test("a file in the place of a folder is the machine's failure, named, and no defect", async () => {
  const folder = await temporaryFolder();
  const file = join(folder, "file");
  await writeFile(file, "");
  for (const work of [
    () => mkdir(join(file, "out"), { recursive: true }),
    () => mkdir(file, { recursive: true }),
    () => readFile(folder),
  ]) {
    const { exitCode, said } = await ended(work);
    expect(exitCode, said).toBe(3);
    expect(said).toMatch(/^refoundry: a file is where a folder has to be/);
  }
  expect((await ended(() => Promise.reject(new TypeError("x is not a function")))).exitCode).toBe(70);
});
