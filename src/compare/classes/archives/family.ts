import type { ContentClass } from "../class.ts";
import { arContainer } from "./ar-container.ts";
import { cpioContainer } from "./cpio-container.ts";
import { gzipContainer } from "./gzip-container.ts";
import { jarManifest } from "./jar-manifest.ts";
import { tarContainer } from "./tar-container.ts";
import { zipContainer } from "./zip-container.ts";
import { zstdContainer } from "./zstd-container.ts";

/** Classes of differences in archives inside of files. */
export const archiveClasses: readonly ContentClass[] = [
  jarManifest,
  gzipContainer,
  zstdContainer,
  zipContainer,
  arContainer,
  tarContainer,
  cpioContainer,
];
