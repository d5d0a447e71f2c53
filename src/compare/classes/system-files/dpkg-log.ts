import type { ContentClass } from "../class.ts";
import { clockForm, dayForm, plainClock, plainDay } from "./log-times.ts";
import { rewriteLines } from "./text-lines.ts";

const path = /^var\/log\/dpkg\.log(?:\.\d{1,3})?$/;
const packageForm = String.raw`[a-z0-9][a-z0-9+.-]*(?::[a-z0-9-]+)?`;
const versionForm = String.raw`(?:[A-Za-z0-9.+:~-]+|<none>)`;
const stateForm =
  "(?:not-installed|config-files|half-installed|unpacked|half-configured|triggers-awaited|triggers-pending|installed)";
const events = [
  "startup (?:archives|packages) [a-z-]+",
  `status ${stateForm} ${packageForm} ${versionForm}`,
  `(?:install|upgrade|configure|trigproc|remove|purge|disappear) ${packageForm} ${versionForm} ${versionForm}`,
  String.raw`conffile /[\x21-\x7e]+ (?:keep|install)`,
];
const form = new RegExp(`^${dayForm} ${clockForm} (${events.join("|")})$`);

/** When dpkg did what its log says. */
export const dpkgLog: ContentClass = {
  name: "dpkg-log",
  version: 1,
  meaning: "dpkg's log has other times",
  normalises: "the time at the head of every line becomes the start of 1970; a line of another form refuses the file",
  safety: "the log is for people to read; what was done, to which versions and in which order, is kept",
  applies: (file) => path.test(file.path),
  normalise: ({ bytes }) =>
    rewriteLines(bytes, (line) => {
      const event = form.exec(line)?.[1];
      return event === undefined ? undefined : `${plainDay} ${plainClock} ${event}`;
    }),
};
