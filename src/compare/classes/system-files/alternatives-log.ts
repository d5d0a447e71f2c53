import type { ContentClass } from "../class.ts";
import { clockForm, dayForm, plainClock, plainDay } from "./log-times.ts";
import { rewriteLines } from "./text-lines.ts";

const path = /^var\/log\/alternatives\.log(?:\.\d{1,3})?$/;
const events = [
  "run with ",
  String.raw`link group \S+ (?:updated to point to \S|fully removed$)`,
  String.raw`status of link group \S+ set to \S`,
];
const form = new RegExp(
  String.raw`^update-alternatives ${dayForm} ${clockForm}: ((?=${events.join("|")})[\x20-\x7e]+)$`,
);

/** When update-alternatives did what its log says. */
export const alternativesLog: ContentClass = {
  name: "alternatives-log",
  version: 1,
  meaning: "the log of update-alternatives has other times",
  normalises: "the time at the head of every line becomes the start of 1970; a line of another form refuses the file",
  safety: "the log is for people to read; commands, links and their order are kept",
  applies: (file) => path.test(file.path),
  normalise: ({ bytes }) =>
    rewriteLines(bytes, (line) => {
      const event = form.exec(line)?.[1];
      return event === undefined ? undefined : `update-alternatives ${plainDay} ${plainClock}: ${event}`;
    }),
};
