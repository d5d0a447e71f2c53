import type { FactoryEvent } from "../events.ts";
import {
  describeProgress,
  fitSpans,
  labelOf,
  marks,
  type Renderer,
  type RendererStream,
  type Span,
} from "./progress-lines.ts";
import { countReleases } from "./progress-releases.ts";
import { formatSeconds, plainText, widthOf } from "./text.ts";

type LogUpdate = ReturnType<typeof import("log-update")["createLogUpdate"]>;

interface Running {
  readonly label: string;
  readonly title: string;
  readonly startedAt: number;
  readonly doing: string;
}

const spinner = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const frameMs = 100;
const labelColumns = 22;
/** Times stay in one column while labels are at most this wide. */
const labelColumnsAtMost = 44;
const styles = { done: "green", reused: "cyan", failed: "red" } as const;

/**
 * A line for each running stage, and one that counts releases, redrawn in place ten times
 * a second; what ended scrolls away above.
 */
export function createLiveRenderer(stream: RendererStream, now: () => number): Renderer {
  const running = new Map<string, Running>();
  const releases = countReleases(now);
  let update: LogUpdate | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let columns = labelColumns;

  const width = (): number => Math.max(1, (stream.columns ?? 80) - 1);
  const row = (mark: Span, label: string, seconds: number, ...rest: readonly Span[]): string => {
    columns = Math.min(labelColumnsAtMost, Math.max(columns, widthOf(label)));
    const padding = " ".repeat(Math.max(0, columns - widthOf(label)));
    const head = ` ${label}${padding} ${formatSeconds(seconds).padStart(9)}`;
    return fitSpans([mark, { text: head }, ...rest], width(), stream);
  };
  const since = ({ startedAt }: Running): number => (now() - startedAt) / 1000;
  const draw = (): void => {
    const mark = spinner[Math.floor(now() / frameMs) % spinner.length] ?? "";
    const lines = [...running.values()].map((stage) =>
      row({ text: mark, style: "cyan" }, stage.label, since(stage), { text: `  ${stage.doing}`, style: "dim" }),
    );
    const counted = releases.line();
    if (counted !== undefined) lines.push(fitSpans([{ text: `  ${counted}`, style: "bold" }], width(), stream));
    // log-update would write an empty line for no lines
    if (lines.length === 0) update?.clear();
    else update?.(lines.join("\n"));
  };
  const permanent = (line: string): void => {
    update?.clear();
    stream.write(`${line}\n`);
    draw();
  };
  const finish = (event: Extract<FactoryEvent, { type: "stage-finished" }>): void => {
    const label = labelOf(event);
    const title = running.get(label)?.title;
    running.delete(label);
    const style = styles[event.outcome];
    const detail = event.detail === "" || event.detail === title ? "" : `  ${plainText(event.detail)}`;
    const word = event.outcome === "done" ? "" : `  ${event.outcome}`;
    permanent(
      row({ text: marks[event.outcome], style }, label, event.seconds, { text: word, style }, { text: detail }),
    );
  };

  // only a terminal needs it, and what ends before it is there is shown all the same
  const startDrawing = async (): Promise<void> => {
    const { createLogUpdate } = await import("log-update");
    if (closed) return;
    update = createLogUpdate(stream as NodeJS.WriteStream, { showCursor: true });
    timer = setInterval(draw, frameMs);
    timer.unref();
    draw();
  };
  void startDrawing();

  return {
    emit(event) {
      releases.see(event);
      if (event.type === "stage-started") {
        const title = plainText(event.title);
        running.set(labelOf(event), { label: labelOf(event), title: event.title, startedAt: now(), doing: title });
      }
      if (event.type === "stage-progress") {
        const stage = running.get(labelOf(event));
        if (stage) running.set(stage.label, { ...stage, doing: describeProgress(event) });
      }
      if (event.type === "stage-finished") finish(event);
      if (event.type === "notice") {
        const [mark, style] = event.severity === "warning" ? (["!", "yellow"] as const) : (["·", "dim"] as const);
        // a notice is a message: cut short it would say nothing, so the terminal may wrap it
        permanent(fitSpans([{ text: `${mark} ${plainText(event.message)}`, style }], Number.MAX_SAFE_INTEGER, stream));
      }
    },
    close() {
      if (closed) return;
      closed = true;
      clearInterval(timer);
      update?.clear();
      update?.done();
      for (const stage of running.values()) {
        const doing = { text: `  stopped at: ${stage.doing}` };
        stream.write(`${row({ text: "–", style: "yellow" }, stage.label, since(stage), doing)}\n`);
      }
    },
  };
}
