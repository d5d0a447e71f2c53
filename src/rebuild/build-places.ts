import { interrupted } from "../errors.ts";

/** Places for builds: work begins when there is one for it, in the order in which it is asked for. */
export interface BuildPlaces {
  /** Throws where the wait is interrupted. */
  hold<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T>;
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
  const waiting: (() => void)[] = [];
  let running = 0;
  let before: number | undefined;
  let looking: Promise<void> | undefined;
  const look = async (): Promise<void> => {
    while (waiting.length > 0) {
      const now = await readFree();
      if (running === 0) before = now;
      const places = freePlaces(running, limits, { before, now });
      if (places === 0 || waiting.length === 0) return;
      for (const begin of waiting.splice(0, places)) {
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
  return {
    async hold(work, signal) {
      await new Promise<void>((resolve, reject) => {
        const begin = (): void => {
          signal.removeEventListener("abort", stop);
          resolve();
        };
        const stop = (): void => {
          waiting.splice(waiting.indexOf(begin), 1);
          reject(interrupted());
        };
        if (signal.aborted) return reject(interrupted());
        signal.addEventListener("abort", stop, { once: true });
        waiting.push(begin);
        lookAgain();
      });
      try {
        return await work();
      } finally {
        leave();
      }
    },
  };
}

/** For builds that another waits for while it holds its own place: they would wait for each other. */
export const withinPlace: BuildPlaces = { hold: (work) => work() };
