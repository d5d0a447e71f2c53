import type { ContentClass } from "../class.ts";
import { clockForm, dayForm, plainClock, plainDay } from "./log-times.ts";
import { rewriteLines } from "./text-lines.ts";

const path = /^var\/log\/apt\/history\.log(?:\.\d{1,3})?$/;
const timed = new RegExp(`^(Start-Date|End-Date): ${dayForm}  ${clockForm}$`);
const kept =
  /^(?:Commandline|Requested-By|Comment|Install|Reinstall|Upgrade|Downgrade|Remove|Purge|Disappeared|Error): [\x20-\x7e]+$/;

/** When APT did what its history says. */
export const aptHistoryLog: ContentClass = {
  name: "apt-history-log",
  version: 1,
  meaning: "APT's history has other times",
  normalises: "the times of Start-Date and End-Date become the start of 1970; a line of another form refuses the file",
  safety: "the history is for people to read; command lines, packages and their versions and order are kept",
  applies: (file) => path.test(file.path),
  normalise: ({ bytes }) =>
    rewriteLines(bytes, (line) => {
      if (line === "" || kept.test(line)) return line;
      const field = timed.exec(line)?.[1];
      return field === undefined ? undefined : `${field}: ${plainDay}  ${plainClock}`;
    }),
};
