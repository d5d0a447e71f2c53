import { readMarshalledCode } from "../../formats/pyc-marshal.ts";
import { rewriteMarshalledCode } from "../../formats/pyc-rewrite.ts";
import { readPycHeader } from "../../formats/pyc.ts";
import type { ContentClass } from "../class.ts";

/** Marshal's marks on objects to which nothing refers; they follow the compiler's reference counts. */
export const pycRefs: ContentClass = {
  name: "pyc-refs",
  version: 1,
  meaning: "Python bytecode marks other objects as ones that may be referred to later, though nothing does",
  normalises:
    "FLAG_REF is taken from the marshalled objects that no reference names, and the references are numbered anew",
  safety: "Python loads the very same objects, shared in the very same places: which are shared is kept",
  applies: ({ path, bytes }) => path.endsWith(".pyc") && readPycHeader(bytes) !== undefined,
  normalise({ bytes }) {
    const header = readPycHeader(bytes);
    const objects = header && readMarshalledCode(bytes, header.length, header.minor);
    return objects && rewriteMarshalledCode(bytes, objects, ({ children }) => children);
  },
};
