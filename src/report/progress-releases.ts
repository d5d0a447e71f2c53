import type { FactoryEvent } from "../events.ts";
import { formatSeconds } from "./text.ts";

/** Counts releases by what becomes of them, where a run is about several. */
export interface ReleaseCount {
  see(event: FactoryEvent): void;
  /** `3 of 12 releases done, 1 failed; 2 running, 7 waiting; about 6 min left`; undefined before a run was planned and after its end. */
  line(): string | undefined;
}

/** Starts counting. `now` gives milliseconds. */
export function countReleases(now: () => number): ReleaseCount {
  const running = new Set<string>();
  let total = 0;
  let done = 0;
  let failed = 0;
  /** When all is expected to be done, in the time of `now`. */
  let end: number | undefined;
  return {
    see(event) {
      if (event.type === "releases-planned") total = event.total;
      if (event.type === "stage-started" && event.release !== undefined) running.add(event.release);
      if (event.type !== "release-finished") return;
      running.delete(event.release);
      total = event.total;
      done = event.done;
      if (event.outcome !== "rebuilt" && event.outcome !== "verified") failed++;
      end = event.secondsLeft === undefined ? undefined : now() + event.secondsLeft * 1000;
    },
    line() {
      if (total === 0 || done >= total) return undefined;
      const waiting = Math.max(0, total - done - running.size);
      const parts = [
        `${done} of ${total} ${total === 1 ? "release" : "releases"} done${failed > 0 ? `, ${failed} failed` : ""}`,
        `${running.size} running, ${waiting} waiting`,
      ];
      if (end !== undefined) parts.push(`about ${formatSeconds(Math.max(1, Math.round((end - now()) / 1000)))} left`);
      return parts.join("; ");
    },
  };
}
