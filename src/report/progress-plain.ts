import type { FactoryEvent } from "../events.ts";
import { describeProgress, labelOf, marks, type Renderer, type RendererStream } from "./progress-lines.ts";
import { cut, formatSeconds, plainText } from "./text.ts";

const intervalMs = 5000;
const maxDoingColumns = 160;

/** Lines for a pipe or a CI log: starts, ends, notices, and at most one line of progress a stage in five seconds. */
export function createPlainRenderer(stream: RendererStream, now: () => number): Renderer {
  const lastTold = new Map<string, number>();
  const titles = new Map<string, string>();
  const write = (line: string): void => void stream.write(`${line}\n`);
  return {
    close: () => {},
    emit(event) {
      if (event.type === "notice") {
        write(`${event.severity === "warning" ? "warning" : "note"}: ${plainText(event.message)}`);
        return;
      }
      if (event.type === "releases-planned") {
        write(`note: ${event.total} ${event.total === 1 ? "release is" : "releases are"} to be done`);
        return;
      }
      // a notice says the same to people
      if (event.type === "release-finished") return;
      const label = labelOf(event);
      if (event.type === "stage-started") {
        titles.set(label, event.title);
        lastTold.set(label, now());
        write(`[${label}] ${plainText(event.title)}`);
      }
      if (event.type === "stage-progress") {
        if (now() - (lastTold.get(label) ?? Number.NEGATIVE_INFINITY) < intervalMs) return;
        lastTold.set(label, now());
        write(`[${label}] ${cut(describeProgress(event), maxDoingColumns)}`);
      }
      if (event.type === "stage-finished") write(`[${label}] ${describeEnd(event, titles.get(label))}`);
    },
  };
}

type Finished = Extract<FactoryEvent, { type: "stage-finished" }>;

function describeEnd({ outcome, seconds, detail }: Finished, title: string | undefined): string {
  const took = formatSeconds(seconds);
  const end = { done: `done in ${took}`, reused: "reused", failed: `failed after ${took}` }[outcome];
  return `${marks[outcome]} ${end}${detail === "" || detail === title ? "" : `: ${plainText(detail)}`}`;
}
