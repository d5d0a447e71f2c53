import type { Emit } from "../events.ts";
import type { NightlyRelease } from "../nightly-run.ts";
import type { NightlyTask } from "./choose.ts";

/** Tells of releases that are done, and about how long the rest takes. */
export function createProgress(todo: readonly NightlyTask[], emit: Emit) {
  let done = 0;
  const startedAt = performance.now();
  return {
    finished({ id, recipe, version, action }: NightlyTask, release: NightlyRelease, wasDone: boolean): void {
      if (action === "keep" || action === "fault") return;
      done++;
      const { failure } = release;
      const total = todo.length;
      const secondsLeft = ((performance.now() - startedAt) / 1000 / done) * (total - done);
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
