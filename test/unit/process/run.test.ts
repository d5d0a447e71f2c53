import { readFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { splitLines } from "../../../src/process/lines.ts";
import { isProcessAlive, processIdentity } from "../../../src/process/identity.ts";
import { run, runChecked } from "../../../src/process/run.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const shell = (script: string): { file: string; args: string[] } => ({ file: "/bin/sh", args: ["-c", script] });

async function waitForFile(path: string): Promise<string> {
  for (;;) {
    const text = await readFile(path, "utf8").catch(() => "");
    if (text !== "") return text.trim();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test("output, exit code and lines are told apart by stream", async () => {
  const lines: string[] = [];
  const result = await run({ ...shell("echo out; echo err >&2; exit 7"), onStdoutLine: (line) => lines.push(line) });
  expect(result).toMatchObject({ exitCode: 7, stdout: "out", stderr: "err" });
  expect(lines).toEqual(["out"]);
});

test("arguments reach the program untouched by any shell", async () => {
  const hostile = "$(touch /tmp/never); `id` \"'\n*";
  const result = await run({ file: "/usr/bin/printf", args: ["%s", hostile] });
  expect(result.stdout).toBe(hostile);
});

test("a program that cannot be started is an infrastructure error that names it", async () => {
  await expect(run({ file: "/no/such/program", args: [] })).rejects.toThrow(/\/no\/such\/program/);
});

test("a failure ends with the last lines the program wrote", async () => {
  await expect(runChecked(shell("echo first; echo the reason >&2; exit 3"), "doing it")).rejects.toThrow(
    /doing it: .*exit code 3\nthe reason/,
  );
});

test("abort ends the program and what it started", async () => {
  const folder = await temporaryFolder();
  const stop = new AbortController();
  const child = run({ ...shell(`sleep 100 & echo $! > ${join(folder, "pid")}; wait`), signal: stop.signal });
  const pid = Number(await waitForFile(join(folder, "pid")));
  const identity = await processIdentity(pid);
  expect(await isProcessAlive(identity)).toBe(true);
  stop.abort();
  await expect(child).rejects.toMatchObject({ kind: "interrupted" });
  expect(await isProcessAlive(identity)).toBe(false);
});

test("a program over its time is stopped and said to be", async () => {
  expect(await run({ ...shell("sleep 100"), timeoutSeconds: 0.1 })).toMatchObject({ timedOut: true });
  await expect(runChecked({ ...shell("sleep 100"), timeoutSeconds: 0.1 }, "waiting")).rejects.toThrow(
    /waiting: .* did not end within 0.1 seconds/,
  );
});

test("an identity of a process that ended, or of another with its number, is not alive", async () => {
  const own = await processIdentity();
  expect(await isProcessAlive(own)).toBe(true);
  expect(await isProcessAlive(`${own}-suffix`)).toBe(true);
  expect(await isProcessAlive(own.replace(/\.\d+/, ".1"))).toBe(false);
  expect(await isProcessAlive("nonsense")).toBe(false);
});

test("lines do not depend on how bytes are cut into chunks", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: "grapheme" })),
      fc.infiniteStream(fc.integer({ min: 1, max: 7 })),
      async (parts, cuts) => {
        const text = parts.join("\n");
        async function* chunks(): AsyncGenerator<Uint8Array> {
          let rest: Uint8Array = Buffer.from(text);
          for (const cut of cuts) {
            if (rest.length === 0) return;
            yield rest.subarray(0, cut);
            rest = rest.subarray(cut);
          }
        }
        const expected = text.split("\n");
        if (expected.at(-1) === "") expected.pop();
        expect(await Array.fromAsync(splitLines(chunks()))).toEqual(expected);
      },
    ),
    { numRuns: 200 },
  );
});

test("a line that never ends comes in pieces, not as one string", async () => {
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < 5; i++) yield Buffer.alloc(512 * 1024, "x");
  }
  const pieces = await Array.fromAsync(splitLines(endless()));
  expect(pieces.length).toBeGreaterThan(1);
  expect(pieces.join("").length).toBe(5 * 512 * 1024);
});
