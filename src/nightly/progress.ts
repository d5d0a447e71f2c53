import type { Emit } from "../events.ts";
import type { NightlyRelease } from "../nightly-run.ts";
import type { NightlyTask } from "./choose.ts";

/**
 * Tells of releases that are done, and about how long the rest takes: by what their builds
 * are expected to take, where that is known.
 */
export function createProgress(todo: readonly NightlyTask[], emit: Emit) {
  let done = 0;
  let doneWeight = 0;
  const startedAt = performance.now();
  const known = todo.map(({ estimatedSeconds }) => estimatedSeconds).filter((seconds) => seconds > 0);
  const mean = known.length === 0 ? 1 : known.reduce((sum, seconds) => sum + seconds, 0) / known.length;
  const weightOf = ({ estimatedSeconds }: NightlyTask): number => (estimatedSeconds > 0 ? estimatedSeconds : mean);
  const totalWeight = todo.reduce((sum, task) => sum + weightOf(task), 0);
  if (todo.length > 0) emit({ type: "releases-planned", total: todo.length });
  return {
    finished(task: NightlyTask, release: NightlyRelease, wasDone: boolean): void {
      const { id, recipe, version, action } = task;
      if (action === "keep" || action === "fault") return;
      done++;
      doneWeight += weightOf(task);
      const { failure } = release;
      const total = todo.length;
      const secondsLeft = ((performance.now() - startedAt) / 1000 / doneWeight) * (totalWeight - doneWeight);
      const rest = done < total ? `, about ${Math.ceil(secondsLeft / 60)} min left` : "";
      const status = wasDone ? "was done before the run was cut off" : release.status;
      const said = failure ? `failed: ${failure.message.split("\n")[0] ?? ""}` : status;
      emit({
        type: "release-finished",
        release: id,
        outcome: failure ? failure.errorClass : release.status,
        done,
        total,
        ...(done < total && { secondsLeft }),
      });
      emit({
        type: "notice",
        severity: failure ? "warning" : "info",
        message: `${done} of ${total} releases done${rest}: ${recipe} ${version} ${said}`,
      });
    },
  };
}
