import { RefoundryError } from "./errors.ts";

/** The stages of a rebuild, in the order of the data flow. */
export type Stage =
  | "setup"
  | "engine"
  | "source"
  | "toolchain"
  | "upstream"
  | "build"
  | "normalise"
  | "compare"
  | "smoke"
  | "publish"
  | "attest"
  | "escrow"
  | "report";

/**
 * What happened, told beside the data; stages emit these, renderers show them and
 * nothing depends on their being shown. `platform` is there where a stage runs once
 * for each platform, `again` where it does for the second time, beside the first. Times
 * are in seconds.
 */
export type FactoryEvent =
  | {
      readonly type: "stage-started";
      readonly stage: Stage;
      readonly release?: string;
      readonly platform?: string;
      readonly again?: true;
      readonly title: string;
    }
  | {
      readonly type: "stage-finished";
      readonly stage: Stage;
      readonly release?: string;
      readonly platform?: string;
      readonly again?: true;
      readonly outcome: "done" | "reused" | "failed";
      readonly detail: string;
      readonly seconds: number;
    }
  | {
      readonly type: "stage-progress";
      readonly stage: Stage;
      readonly release?: string;
      readonly platform?: string;
      readonly again?: true;
      /** What runs now, one line. */
      readonly doing: string;
      readonly current?: number;
      readonly total?: number;
    }
  | {
      readonly type: "build-log";
      readonly stage: Stage;
      readonly release?: string;
      readonly platform?: string;
      readonly again?: true;
      readonly line: string;
    }
  | {
      readonly type: "releases-planned";
      /** How many releases are to be done. */
      readonly total: number;
    }
  | {
      readonly type: "release-finished";
      readonly release: string;
      readonly outcome: string;
      /** Releases that are done by now. */
      readonly done: number;
      readonly total: number;
      /** About how many seconds are left; absent after the last. */
      readonly secondsLeft?: number;
    }
  | { readonly type: "notice"; readonly severity: "info" | "warning"; readonly message: string };

/** Where a stage sends its events. */
export type Emit = (event: FactoryEvent) => void;

/** Says of each stage's event which release (`recipe@version`) it is about. */
export function ofRelease(emit: Emit, release: string): Emit {
  return (event) => emit("stage" in event ? { release, ...event } : event);
}

/** Says of each stage's event that it is about a second run of that stage. */
export function ofSecondRun(emit: Emit): Emit {
  return (event) => emit("stage" in event ? { ...event, again: true } : event);
}

/** A sink for callers that want no events. */
export const silent: Emit = () => {};

/**
 * Runs one stage between its `stage-started` and `stage-finished` events. `work`
 * returns its value with a one-line detail and whether it was reused. A failure of ours
 * that it throws is marked with the stage.
 */
export async function runStage<T>(
  emit: Emit,
  stage: { readonly stage: Stage; readonly platform?: string; readonly title: string },
  work: () => Promise<{ readonly value: T; readonly detail: string; readonly reused?: boolean }>,
): Promise<T> {
  const { title, ...identity } = stage;
  const startedAt = performance.now();
  const seconds = (): number => (performance.now() - startedAt) / 1000;
  emit({ type: "stage-started", ...identity, title });
  try {
    const { value, detail, reused } = await work();
    emit({ type: "stage-finished", ...identity, outcome: reused ? "reused" : "done", detail, seconds: seconds() });
    return value;
  } catch (error) {
    if (error instanceof RefoundryError) error.stage ??= identity.stage;
    emit({ type: "stage-finished", ...identity, outcome: "failed", detail: title, seconds: seconds() });
    throw error;
  }
}
