import type { ContentClass } from "../class.ts";
import { clockForm, dayForm, plainClock, plainDay } from "./log-times.ts";
import { linesOf } from "./text-lines.ts";

const path = /^var\/log\/apt\/term\.log(?:\.\d{1,3})?$/;
const mark = new RegExp(`^Log (started|ended): ${dayForm}  ${clockForm}$`);

/** When the sessions began and ended whose output APT noted. */
export const aptTermLog: ContentClass = {
  name: "apt-term-log",
  version: 1,
  meaning: "APT's log of terminal output has other times",
  normalises:
    "the times of the lines that start and end a session become the start of 1970; sessions that are not one " +
    "behind the other, or anything between them, refuse the file",
  safety: "the log is for people to read; all that the programs printed is kept",
  applies: (file) => path.test(file.path),
  normalise({ bytes }) {
    const lines = linesOf(bytes);
    if (!lines) return undefined;
    const plain: string[] = [];
    let isOpen = false;
    for (const line of lines) {
      const event = mark.exec(line)?.[1];
      if (event === undefined ? !isOpen && line !== "" : (event === "started") === isOpen) return undefined;
      if (event !== undefined) isOpen = event === "started";
      plain.push(event === undefined ? line : `Log ${event}: ${plainDay}  ${plainClock}`, "\n");
    }
    return isOpen ? undefined : Buffer.from(plain.join(""), "latin1");
  },
};
