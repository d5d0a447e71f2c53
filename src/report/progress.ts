import { createLogUpdate } from "log-update";
import { styleText } from "node:util";
import type { Emit, FactoryEvent } from "../events.ts";
import { cut, formatSeconds, plainText } from "./text.ts";

/** Shows events while they happen. */
export interface Renderer {
  readonly emit: Emit;
  /** Takes the live lines away; permanent ones stay. */
  close(): void;
}

/** A stream that a renderer writes to. */
export interface RendererStream extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

interface RendererOptions {
  readonly stream: RendererStream;
  /** `live` redraws running stages in place; `plain` writes a line for each event that matters; `json` one document a line. */
  readonly kind: "live" | "plain" | "json";
  /** Milliseconds; for tests. */
  readonly now?: () => number;
}

/** Makes a renderer. */
export function createRenderer(options: RendererOptions): Renderer {
  if (options.kind === "json")
    return { emit: (event) => void options.stream.write(`${JSON.stringify(event)}\n`), close: () => {} };
  return options.kind === "live" ? createLiveRenderer(options) : createPlainRenderer(options);
}

type Started = Extract<FactoryEvent, { type: "stage-started" }>;
type Finished = Extract<FactoryEvent, { type: "stage-finished" }>;

function keyOf(event: { readonly stage: string; readonly platform?: string }): string {
  return `${event.stage} ${event.platform ?? ""}`;
}

function labelOf(event: { readonly stage: string; readonly platform?: string }): string {
  return event.platform === undefined ? event.stage : `${event.stage} ${event.platform}`;
}

function finishedLine(event: Finished, title: string): string {
  const marks = { done: "✓", reused: "↺", failed: "✗" } as const;
  const detail = event.detail === "" || event.detail === title ? "" : `  ${plainText(event.detail)}`;
  const reused = event.outcome === "reused" ? "  (reused)" : "";
  return `${marks[event.outcome]} ${labelOf(event).padEnd(22)} ${formatSeconds(event.seconds).padStart(7)}${detail}${reused}`;
}

const plainIntervalMs = 5000;

function createPlainRenderer({ stream, now = () => performance.now() }: RendererOptions): Renderer {
  const lastTold = new Map<string, number>();
  const titles = new Map<string, string>();
  const write = (line: string): void => void stream.write(`${line}\n`);
  return {
    close: () => {},
    emit(event) {
      if (event.type === "notice")
        write(`${event.severity === "warning" ? "warning" : "note"}: ${plainText(event.message)}`);
      if (event.type === "stage-started") {
        titles.set(keyOf(event), event.title);
        lastTold.set(keyOf(event), now());
        write(`[${labelOf(event)}] ${plainText(event.title)}`);
      }
      if (event.type === "stage-finished")
        write(`[${labelOf(event)}] ${finishedLine(event, titles.get(keyOf(event)) ?? "")}`);
      if (event.type === "stage-progress") {
        const last = lastTold.get(keyOf(event)) ?? Number.NEGATIVE_INFINITY;
        if (now() - last < plainIntervalMs) return;
        lastTold.set(keyOf(event), now());
        const count = event.total === undefined ? "" : ` (${event.current ?? 0} of ${event.total})`;
        write(`[${labelOf(event)}] ${cut(plainText(event.doing), 160)}${count}`);
      }
    },
  };
}

interface Running {
  readonly event: Started;
  readonly startedAt: number;
  readonly doing: string;
}

const spinner = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const frameMs = 100;

function createLiveRenderer({ stream, now = () => performance.now() }: RendererOptions): Renderer {
  const update = createLogUpdate(stream as NodeJS.WriteStream, { showCursor: true });
  const running = new Map<string, Running>();
  let frame = 0;
  const colour = (style: Parameters<typeof styleText>[0], text: string): string =>
    styleText(style, text, { stream: stream as NodeJS.WriteStream });
  const draw = (): void => {
    const width = (stream.columns ?? 80) - 1;
    const mark = spinner[frame % spinner.length] ?? "";
    frame += 1;
    const lines = [...running.values()].map(({ event, startedAt, doing }) => {
      const elapsed = formatSeconds((now() - startedAt) / 1000).padStart(7);
      return cut(`${mark} ${labelOf(event).padEnd(22)} ${elapsed}  ${doing}`, width);
    });
    update(lines.join("\n"));
  };
  const permanent = (style: Parameters<typeof styleText>[0], line: string): void => {
    update.clear();
    stream.write(`${colour(style, cut(line, (stream.columns ?? 80) - 1))}\n`);
    draw();
  };
  const timer = setInterval(draw, frameMs);
  timer.unref();
  const styles = { done: "green", reused: "cyan", failed: "red" } as const;
  return {
    close() {
      clearInterval(timer);
      update.clear();
      update.done();
    },
    emit(event) {
      if (event.type === "stage-started")
        running.set(keyOf(event), { event, startedAt: now(), doing: plainText(event.title) });
      if (event.type === "stage-progress") {
        const entry = running.get(keyOf(event));
        const count = event.total === undefined ? "" : ` ${event.current ?? 0}/${event.total}`;
        if (entry) running.set(keyOf(event), { ...entry, doing: `${plainText(event.doing)}${count}` });
      }
      if (event.type === "stage-finished") {
        const title = running.get(keyOf(event))?.event.title ?? "";
        running.delete(keyOf(event));
        permanent(styles[event.outcome], finishedLine(event, title));
      }
      if (event.type === "notice") permanent("yellow", `! ${plainText(event.message)}`);
    },
  };
}
