import type { ClassDescription } from "../class.ts";

/** Other access or change times in pax headers. */
export const paxTimes: ClassDescription = {
  name: "pax-times",
  version: 1,
  meaning: "other access or change times in pax headers",
  normalises: "times are left out",
  safety: "runtimes do not restore change times, and reading sets access times anew",
};
