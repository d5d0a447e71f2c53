import type { ContentClass } from "../class.ts";
import { javaKeystore } from "./java-keystore.ts";
import { moDates } from "./mo-dates.ts";
import { pngTime } from "./png-time.ts";
import { pycHeader } from "./pyc-header.ts";
import { pycPath } from "./pyc-path.ts";
import { pycRefs } from "./pyc-refs.ts";
import { pycSetOrder } from "./pyc-set-order.ts";
import { sqliteVolatile } from "./sqlite-volatile.ts";
import { textDate } from "./text-date.ts";
import { wheelGenerator } from "./wheel-generator.ts";
import { wheelRecord } from "./wheel-record.ts";

/** The classes of languages' files and of data files. Each gives a file of the kind that it took. */
export const languageClasses: readonly ContentClass[] = [
  pycHeader,
  pycSetOrder,
  pycRefs,
  pycPath,
  wheelRecord,
  wheelGenerator,
  pngTime,
  moDates,
  sqliteVolatile,
  javaKeystore,
  textDate,
];
