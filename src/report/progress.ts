import type { FactoryEvent } from "../events.ts";
import { createLiveRenderer } from "./progress-live.ts";
import type { Renderer, RendererStream } from "./progress-lines.ts";
import { createPlainRenderer } from "./progress-plain.ts";

export type { Renderer, RendererStream };

interface RendererOptions {
  readonly stream: RendererStream;
  /**
   * `live` redraws running stages in place; `plain` writes a line for each event that
   * matters; `json` writes every event as one JSON document a line.
   */
  readonly kind: "live" | "plain" | "json";
  /** Milliseconds of a monotonic clock. */
  readonly now?: () => number;
}

/**
 * Makes a renderer. Whatever events carry, nothing but text and, from `live`, our own
 * escape sequences reach the stream; colours only where the stream is a terminal and
 * NO_COLOR is not set.
 */
export function createRenderer({ stream, kind, now = () => performance.now() }: RendererOptions): Renderer {
  switch (kind) {
    case "live":
      return createLiveRenderer(stream, now);
    case "plain":
      return createPlainRenderer(stream, now);
    case "json":
      return { emit: (event) => void stream.write(`${jsonLine(event)}\n`), close: () => {} };
  }
}

/** JSON escapes C0 controls by itself; a terminal acts on C1 controls and bidi marks too. */
function jsonLine(event: FactoryEvent): string {
  return JSON.stringify(event).replaceAll(
    /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
