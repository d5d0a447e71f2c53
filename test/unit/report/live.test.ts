import { PassThrough } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import { WriteStream } from "node:tty";
import { stripVTControlCharacters } from "node:util";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { FactoryEvent } from "../../../src/events.ts";
import { createRenderer, type Renderer } from "../../../src/report/progress.ts";
import { widthOf } from "../../../src/report/text.ts";

beforeEach(() => {
  for (const name of ["FORCE_COLOR", "NO_COLOR", "NODE_DISABLE_COLORS"]) vi.stubEnv(name, undefined);
  vi.stubEnv("TERM", "xterm-256color");
});
afterEach(() => vi.unstubAllEnvs());

interface Terminal {
  readonly renderer: Renderer;
  /** What was written since the last call. */
  written(): string;
}

function openTerminal(columns = 80): Terminal {
  const stream = Object.assign(new PassThrough(), {
    isTTY: true,
    columns,
    rows: 24,
    // a terminal's own reading of NO_COLOR and TERM
    getColorDepth: WriteStream.prototype.getColorDepth,
  });
  return {
    renderer: createRenderer({ stream, kind: "live" }),
    written: () => String(stream.read() ?? ""),
  };
}

const stage = { stage: "build", platform: "linux/arm64" } as const;
const started: FactoryEvent = { type: "stage-started", ...stage, title: "build" };
const doing = (text: string): FactoryEvent => ({ type: "stage-progress", ...stage, doing: text });
const ended = (outcome: "done" | "reused" | "failed", detail: string): FactoryEvent => ({
  type: "stage-finished",
  ...stage,
  outcome,
  detail,
  seconds: 5.1,
});

/** Until what runs is drawn, so that log-update is there. */
async function drawn({ written }: Terminal, text: string): Promise<string> {
  return vi.waitFor(() => {
    const shown = stripVTControlCharacters(written());
    expect(shown).toContain(text);
    return shown;
  });
}

test("what runs is drawn with its last step, and redrawn at most about ten times a second", async () => {
  const terminal = openTerminal();
  terminal.renderer.emit(started);
  terminal.renderer.emit(doing("RUN first"));
  expect(await drawn(terminal, "RUN first")).toMatch(/^. build linux\/arm64 +[\d.]+ m?s {2}RUN first$/m);
  const startedAt = performance.now();
  for (let step = 0; step < 50; step += 1) {
    terminal.renderer.emit(doing(`RUN ${step}`));
    await wait(10);
  }
  const frames = terminal.written().match(/RUN \d+/g) ?? [];
  expect(frames.length).toBeGreaterThan(1);
  expect(frames.length).toBeLessThan((performance.now() - startedAt) / 100 + 3);
  terminal.renderer.close();
});

test("a stage that ended stays, with its mark, a word for it, time and detail", async () => {
  const terminal = openTerminal(100);
  terminal.renderer.emit(started);
  await drawn(terminal, "build linux/arm64");
  for (const outcome of ["done", "reused", "failed"] as const) terminal.renderer.emit(ended(outcome, "sha256:abc"));
  terminal.renderer.close();
  const lines = stripVTControlCharacters(terminal.written()).split("\n");
  expect(lines.filter((line) => line.includes("sha256:abc"))).toEqual([
    "✓ build linux/arm64          5.1 s  sha256:abc",
    "↺ build linux/arm64          5.1 s  reused  sha256:abc",
    "✗ build linux/arm64          5.1 s  failed  sha256:abc",
  ]);
});

test("an interruption leaves what was running, and nothing is drawn any more", async () => {
  const terminal = openTerminal();
  terminal.renderer.emit(started);
  terminal.renderer.emit(doing("RUN make (long)"));
  await drawn(terminal, "RUN make");
  terminal.renderer.close();
  expect(stripVTControlCharacters(terminal.written())).toMatch(
    /^– build linux\/arm64 +[\d.]+ m?s {2}stopped at: RUN make \(long\)\n$/m,
  );
  await wait(250);
  terminal.renderer.close();
  expect(terminal.written()).toBe("");
});

test("a stage that ends before the drawing library is loaded is shown all the same", () => {
  const terminal = openTerminal();
  terminal.renderer.emit(started);
  terminal.renderer.emit(ended("done", "quick"));
  terminal.renderer.emit({ type: "notice", severity: "warning", message: "the fork is gone" });
  terminal.renderer.close();
  expect(stripVTControlCharacters(terminal.written())).toMatch(/^✓ build.*quick\n! the fork is gone\n$/);
});

test.each(["x".repeat(500), "構築".repeat(200), "👷".repeat(200), "e\u0301".repeat(300)])(
  "a line never wraps: %.6s…",
  async (text) => {
    const terminal = openTerminal(60);
    terminal.renderer.emit(started);
    terminal.renderer.emit(doing(text));
    const shown = await drawn(terminal, "build linux/arm64");
    terminal.renderer.emit(ended("failed", text));
    terminal.renderer.close();
    const raw = terminal.written();
    for (const line of `${shown}\n${stripVTControlCharacters(raw)}`.split("\n"))
      expect(widthOf(line)).toBeLessThanOrEqual(60);
    // a colour that was switched on is switched off, also where the line was cut
    const codes = [...raw.matchAll(/\u001b\[(\d+)m/g)].map(([, code]) => Number(code));
    expect(codes.filter((code) => code === 31).length).toBe(codes.filter((code) => code === 39).length);
  },
);

test("NO_COLOR is respected", () => {
  const write = (): string => {
    const terminal = openTerminal();
    terminal.renderer.emit(ended("failed", "detail"));
    terminal.renderer.close();
    return terminal.written();
  };
  // whatever the environment of this run says of colours
  vi.stubEnv("FORCE_COLOR", "1");
  expect(write()).toContain("\u001b[31m");
  vi.stubEnv("FORCE_COLOR", undefined);
  vi.stubEnv("NO_COLOR", "1");
  expect(write()).not.toContain("\u001b[31m");
});

test("a run of several releases is counted below what runs, with the time that is left", async () => {
  const terminal = openTerminal(100);
  const { emit } = terminal.renderer;
  emit({ type: "releases-planned", total: 4 });
  for (const release of ["a@1", "b@1"]) emit({ ...started, release });
  expect(await drawn(terminal, "running")).toMatch(/^ {2}0 of 4 releases done; 2 running, 2 waiting$/m);
  emit({ ...ended("failed", ""), release: "a@1" } as FactoryEvent);
  emit({ type: "release-finished", release: "a@1", outcome: "build", done: 1, total: 4, secondsLeft: 125 });
  expect(await drawn(terminal, "1 failed")).toMatch(
    /^ {2}1 of 4 releases done, 1 failed; 1 running, 2 waiting; about 2 min 5 s left$/m,
  );
  for (const done of [2, 3])
    emit({ type: "release-finished", release: `r${done}`, outcome: "rebuilt", done, total: 4 });
  emit({ type: "release-finished", release: "b@1", outcome: "verified", done: 4, total: 4 });
  terminal.written();
  emit(started);
  expect(await drawn(terminal, "build linux/arm64")).not.toContain("releases done");
  terminal.renderer.close();
});
