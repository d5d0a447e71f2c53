import { readPycHeader } from "../../formats/pyc.ts";
import type { ContentClass } from "../class.ts";

/** The source's time in the header of Python bytecode (PEP 552). */
export const pycHeader: ContentClass = {
  name: "pyc-header",
  version: 1,
  meaning: "Python bytecode notes another time of change of its source",
  normalises: "the source's time in the header of a .pyc that is checked by time is set to zero",
  safety:
    "the time only tells Python whether to compile the source anew, and gives the same code when it does; the " +
    "source's size, the flags and the code are kept, and so is a header that holds the source's hash",
  applies: ({ path, bytes }) => path.endsWith(".pyc") && readPycHeader(bytes)?.timeAt !== undefined,
  normalise({ bytes }) {
    const timeAt = readPycHeader(bytes)?.timeAt;
    if (timeAt === undefined) return undefined;
    return Buffer.from(bytes).fill(0, timeAt, timeAt + 4);
  },
};
