import { messageOf, RefoundryError } from "../errors.ts";
import type { Stage } from "../events.ts";
import type { ErrorClass, NightlyRelease } from "../nightly-run.ts";
import type { Outcome } from "../outcome.ts";

type Failure = NonNullable<NightlyRelease["failure"]>;

const fetching: ReadonlySet<string> = new Set<Stage>(["source", "toolchain", "upstream"]);

/** What a thrown value means: by what it is, and by the stage in which it was thrown. */
export function failureOfError(error: unknown): Failure {
  const message = messageOf(error);
  // what is no error of ours is a defect, or the machine's, and tried again like the weather
  if (!(error instanceof RefoundryError)) return { errorClass: "infra", message };
  switch (error.kind) {
    case "usage":
      return { errorClass: "usage", message };
    case "mismatch": {
      const codes = new Set(error.problems.map(({ code }) => code));
      if (codes.has("not-deterministic")) return { errorClass: "nondeterminism", message };
      // the plan found no fault with the tag, so it is what was made that is new: other inputs
      return { errorClass: codes.has("tag-taken") ? "refresh" : "compare", message };
    }
    default:
      return { errorClass: fetching.has(error.stage ?? "") ? "fetch" : "infra", message };
  }
}

/** What it means that a stage did not end in its time: a build that hangs will hang again, a server need not. */
export function failureOfLateness(stage: Stage | undefined, message: string): Failure {
  if (stage !== undefined && fetching.has(stage)) return { errorClass: "fetch", message };
  if (stage === "build" || stage === "smoke") return { errorClass: "build", message };
  return { errorClass: stage === "compare" ? "compare" : "infra", message };
}

/** What an outcome means in which nothing was released; undefined for one that was. */
export function failureOfOutcome({ index, platforms }: Outcome): Failure | undefined {
  if (index) return undefined;
  const classes: Readonly<Record<string, ErrorClass>> = {
    "build-failed": "build",
    different: "compare",
    "upstream-unavailable": "fetch",
  };
  for (const [verdict, errorClass] of Object.entries(classes)) {
    const found = platforms.find((platform) => platform.verdict === verdict);
    if (found) return { errorClass, message: `${found.platform}: ${found.explanation}` };
  }
  return { errorClass: "compare", message: "nothing was released" };
}
