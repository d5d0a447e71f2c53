import { packageClasses } from "../packages/classes.ts";
import { archiveClasses } from "./archives/family.ts";
import { binaryClasses } from "./binaries/family.ts";
import type { ClassDescription, ContentClass } from "./class.ts";
import { configClasses } from "./config/family.ts";
import type { EntryClass } from "./entry-class.ts";
import { languageClasses } from "./languages/family.ts";
import { structureClasses } from "./structure.ts";
import { systemFileClasses } from "./system-files/family.ts";
import { hardlinkCopy } from "./tree/hardlink-copy.ts";
import { emptyLeftover } from "./tree/empty-leftover.ts";
import { mountPointLeftover } from "./tree/mount-point-leftover.ts";
import { runtimeFile } from "./tree/runtime-file.ts";

/** Classes of differences in the content of files, in the order in which they normalise. */
export const contentClasses: readonly ContentClass[] = [
  runtimeFile,
  ...systemFileClasses,
  ...packageClasses,
  ...languageClasses,
  ...binaryClasses,
  // what is inside of archives has been through all the others
  ...archiveClasses,
];

/** Classes of entries that one side may lack. */
export const entryClasses: readonly EntryClass[] = [mountPointLeftover, emptyLeftover];

/** Every class of differences that counts as known, by name. */
export const describedClasses: ReadonlyMap<string, ClassDescription> = new Map(
  [...structureClasses, ...configClasses, hardlinkCopy, ...entryClasses, ...contentClasses].map((found) => [
    found.name,
    found,
  ]),
);
