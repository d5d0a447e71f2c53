import type { Emit, FactoryEvent, Stage } from "../events.ts";

/** Seconds that each stage may take. */
export type StageTimeouts = Readonly<Record<Stage, number>>;

/** Watches the stages of one attempt. */
export interface StageWatch {
  /** Passes events on. */
  readonly emit: Emit;
  /** The stage that began first of those that run. */
  running(): Stage | undefined;
  /** Stops the clocks. */
  close(): void;
}

/** Passes events on and calls `onLate` when a stage runs for longer than it may. */
export function watchStages(
  emit: Emit,
  limits: StageTimeouts,
  onLate: (stage: Stage, seconds: number) => void,
): StageWatch {
  const running = new Map<string, { readonly stage: Stage; readonly clock: NodeJS.Timeout }[]>();
  let closed = false;
  const keyOf = ({ stage, platform = "", again }: Extract<FactoryEvent, { stage: Stage }>): string =>
    `${stage} ${platform} ${again ?? ""}`;
  return {
    emit(event) {
      if (event.type === "stage-started" && !closed) {
        const { stage } = event;
        const seconds = limits[stage];
        // a timer takes no more than 2^31 ms
        const clock = setTimeout(() => onLate(stage, seconds), Math.min(seconds * 1000, 2 ** 31 - 1));
        running.set(keyOf(event), [...(running.get(keyOf(event)) ?? []), { stage, clock }]);
      }
      if (event.type === "stage-finished") {
        // several sources may be fetched at once under one name: each end stops one clock
        const [first, ...rest] = running.get(keyOf(event)) ?? [];
        clearTimeout(first?.clock);
        if (rest.length > 0) running.set(keyOf(event), rest);
        else running.delete(keyOf(event));
      }
      emit(event);
    },
    running: () => [...running.values()][0]?.[0]?.stage,
    close() {
      closed = true;
      for (const { clock } of [...running.values()].flat()) clearTimeout(clock);
    },
  };
}
