import { styleText } from "node:util";
import type { Emit, FactoryEvent } from "../events.ts";
import { cut, plainText, widthOf } from "./text.ts";

/** Shows events while they happen. */
export interface Renderer {
  readonly emit: Emit;
  /** Takes the live lines away, and says what was still running; permanent lines stay. */
  close(): void;
}

/** A stream that a renderer writes to. */
export interface RendererStream extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

type StageIdentity = Pick<Extract<FactoryEvent, { type: "stage-started" }>, "stage" | "release" | "platform" | "again">;

/** A stage's name for people: `build linux/arm64`, `build tini@0.19.0 linux/arm64 again`. */
export function labelOf({ stage, release, platform, again }: StageIdentity): string {
  return [stage, release, platform, again && "again"]
    .flatMap((part) => (part === undefined ? [] : [plainText(part)]))
    .join(" ");
}

/** The mark before a finished stage; read with the word that follows, never by colour alone. */
export const marks = { done: "✓", reused: "↺", failed: "✗" } as const;

type Progress = Extract<FactoryEvent, { type: "stage-progress" }>;

/** What runs now, with how much of it is done where that is known. */
export function describeProgress({ doing, current, total }: Progress): string {
  return total === undefined ? plainText(doing) : `${plainText(doing)} (${current ?? 0} of ${total})`;
}

/** A part of a line and how it looks. */
export interface Span {
  readonly text: string;
  readonly style?: Parameters<typeof styleText>[0];
}

/** Joins parts to one line of at most `width` columns, then colours what is left where the stream takes colours. */
export function fitSpans(spans: readonly Span[], width: number, stream: RendererStream): string {
  let room = width;
  let line = "";
  for (const { text, style } of spans) {
    const shown = cut(text, room);
    room -= widthOf(shown);
    line += style === undefined || shown === "" ? shown : styleText(style, shown, { stream });
    if (shown !== text) break;
  }
  return line;
}
