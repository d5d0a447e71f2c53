import type { ContentClass } from "../class.ts";
import { arContainer } from "./ar-container.ts";
import { gzipContainer } from "./gzip-container.ts";
import { tarContainer } from "./tar-container.ts";
import { zipContainer } from "./zip-container.ts";

/** Classes of differences in archives inside of files. */
export const archiveClasses: readonly ContentClass[] = [gzipContainer, zipContainer, arContainer, tarContainer];
