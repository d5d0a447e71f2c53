import type { ContentClass } from "../class.ts";
import { elfBuildId } from "./elf-build-id.ts";
import { elfComment } from "./elf-comment.ts";
import { elfDebugInformation } from "./elf-debug-information.ts";
import { elfDebuglink } from "./elf-debuglink.ts";
import { goBuildId } from "./go-build-id.ts";
import { goBuildInfo } from "./go-build-info.ts";

/** Classes of differences in programs and libraries. Each gives an ELF file again, for the next. */
export const binaryClasses: readonly ContentClass[] = [
  elfBuildId,
  goBuildId,
  goBuildInfo,
  elfDebuglink,
  elfComment,
  elfDebugInformation,
];
