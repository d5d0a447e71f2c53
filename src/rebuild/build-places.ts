import { interrupted } from "../errors.ts";

/** What a place is asked for, in the order in which one release takes its places. */
const turns = ["smoke", "build", "varied build"] as const;
export type Turn = (typeof turns)[number];

/**
 * Places for builds: work begins when there is one for it, in the order in which it is
 * asked for. Within a line a varied build waits for the others, as it is worth nothing
 * before they succeeded.
 */
export interface BuildPlaces {
  /** Throws where the wait is interrupted. */
  hold<T>(turn: Turn, work: () => Promise<T>, signal: AbortSignal): Promise<T>;
  /**
   * The same places for one release, whose work goes before that of every line that
   * began later: releases that share alike would all end at once, and leave places empty
   * until the next ones have begun.
   */
  line(): BuildPlaces;
}

/** What builds may use together. */
export interface BuildLimits {
  /** Builds at once. */
  readonly jobs: number;
  /** Bytes of memory that are set aside for each. */
  readonly memoryPerBuild: number;
}

/** Bytes of memory, undefined where the system does not say. */
export interface Memory {
  /** What was free before the first of the running builds began. */
  readonly before: number | undefined;
  readonly now: number | undefined;
}

/**
 * How many builds may begin beside those that run. Each sets its memory aside from what
 * was free before any began, for those that just began have not taken theirs yet, and has
 * to find it free now as well. One build may always run: it would wait for ever else.
 */
export function freePlaces(running: number, { jobs, memoryPerBuild }: BuildLimits, { before, now }: Memory): number {
  const fits = (bytes: number | undefined): number =>
    bytes === undefined ? Number.POSITIVE_INFINITY : Math.floor(bytes / memoryPerBuild);
  const byMemory = Math.min(fits(before) - running, fits(now));
  const least = running === 0 ? 1 : 0;
  return Math.max(least, Math.min(jobs - running, byMemory));
}

/** Makes the places of one factory; `readFree` says how many bytes are free now. */
export function createBuildPlaces(limits: BuildLimits, readFree: () => Promise<number | undefined>): BuildPlaces {
  const waiting: { readonly line: number; readonly turn: number; readonly begin: () => void }[] = [];
  let lines = 0;
  let running = 0;
  let before: number | undefined;
  let looking: Promise<void> | undefined;
  const look = async (): Promise<void> => {
    while (waiting.length > 0) {
      const now = await readFree();
      if (running === 0) before = now;
      const places = freePlaces(running, limits, { before, now });
      if (places === 0 || waiting.length === 0) return;
      for (const { begin } of waiting.splice(0, places)) {
        running++;
        begin();
      }
    }
  };
  // one look at a time, and one more where something changed meanwhile
  const lookAgain = (): void => {
    looking = (looking ?? Promise.resolve()).then(look);
  };
  const leave = (): void => {
    running--;
    lookAgain();
  };
  const inLine = (line: number): BuildPlaces => ({
    line: () => inLine(++lines),
    async hold(turn, work, signal) {
      await new Promise<void>((resolve, reject) => {
        const begin = (): void => {
          signal.removeEventListener("abort", stop);
          resolve();
        };
        const asked = { line, turn: turns.indexOf(turn), begin };
        const stop = (): void => {
          waiting.splice(waiting.indexOf(asked), 1);
          reject(interrupted());
        };
        if (signal.aborted) return reject(interrupted());
        signal.addEventListener("abort", stop, { once: true });
        const before = waiting.findIndex((other) => (other.line - line || other.turn - asked.turn) > 0);
        waiting.splice(before < 0 ? waiting.length : before, 0, asked);
        lookAgain();
      });
      try {
        return await work();
      } finally {
        leave();
      }
    },
  });
  return inLine(0);
}

/** For builds that another waits for while it holds its own place: they would wait for each other. */
export const withinPlace: BuildPlaces = { hold: (_, work) => work(), line: () => withinPlace };
