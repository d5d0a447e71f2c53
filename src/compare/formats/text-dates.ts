const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const monthNames = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];
const weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

const year = "(?<year>19[7-9]\\d|2[01]\\d\\d)";
const month = `(?<month>${months.join("|")})`;
const longMonth = `(?<month>${monthNames.join("|")}|${months.join("|")})`;
const weekday = `(?<weekday>${weekdays.join("|")})`;
const clock = "(?<hour>\\d\\d):(?<minute>\\d\\d)";
const seconds = "(?<second>:\\d\\d)";
const half = "(?<half> [AP]M)?";
const letters = "[A-Z]{3,5}";
const offset = "[+-]\\d\\d:?\\d\\d";
/** No part of a longer word, number, file name, version, tag, address or setting. */
const before = "(?<![\\w.+/@:=-])";
const after = "(?![\\w+/-]|[.:,]\\w)";

type Parts = Readonly<Record<string, string | undefined>>;

interface Form {
  readonly pattern: string;
  /** The first second of 1970 in the same form. */
  epoch(parts: Parts): string;
}

/** ISO 8601 and RFC 3339, with a time or without; the separators and the kind of zone are kept. */
const iso: Form = {
  pattern: `${year}-(?<month>\\d\\d)-(?<day>\\d\\d)(?:(?<gap>[T ])${clock}(?:${seconds}(?<fraction>[.,]\\d{1,9})?)?(?<zone>Z| ?UTC| ?GMT| ?${offset})?)?`,
  epoch: ({ gap, second, fraction, zone = "" }) =>
    gap === undefined
      ? "1970-01-01"
      : `1970-01-01${gap}00:00${second ? ":00" : ""}${fraction ? ".0" : ""}${epochZone(zone)}`,
};

/** RFC 5322 and RFC 1123. */
const mail: Form = {
  pattern: `${weekday}, (?<day>\\d{1,2}) ${month} ${year} ${clock}${seconds}? (?<zone>[+-]\\d{4}|GMT|UTC)`,
  epoch: ({ second, zone = "" }) => `Thu, 01 Jan 1970 00:00${second ? ":00" : ""} ${epochZone(zone)}`,
};

/** What `ctime`, `date` and Java's `Date` print. */
const ctime: Form = {
  pattern: `${weekday} ${month} (?<day>[ 0-3]?\\d) ${clock}${seconds}${half}(?<zone> ${letters}| ${offset})? ${year}`,
  epoch: ({ half: suffix, zone = "" }) => `Thu Jan  1 ${epochClock(suffix)}${lettersZone(zone)} 1970`,
};

/** What `date` prints in other locales. */
const localDate: Form = {
  pattern: `${weekday} (?<day>[ 0-3]?\\d) ${month} ${year} ${clock}${seconds}${half}(?<zone> ${letters}| ${offset})?`,
  epoch: ({ half: suffix, zone = "" }) => `Thu 01 Jan 1970 ${epochClock(suffix)}${lettersZone(zone)}`,
};

/** The days and months in the foot of manual pages. */
const manualForms: readonly Form[] = [
  iso,
  { pattern: `${year}-(?<month>\\d\\d)`, epoch: () => "1970-01" },
  { pattern: `${longMonth} ${year}`, epoch: () => "January 1970" },
  { pattern: `(?<day>\\d{1,2}) ${longMonth} ${year}`, epoch: () => "1 January 1970" },
  { pattern: `${longMonth} (?<day>\\d{1,2}), ${year}`, epoch: () => "January 1, 1970" },
];

const stampForms: readonly Form[] = [mail, ctime, localDate, iso];
const within = stampForms.map((form) => ({ form, regex: new RegExp(`${before}${form.pattern}${after}`, "g") }));
const stamps = stampForms.map((form) => ({ form, regex: new RegExp(`^${form.pattern}$`) }));
const manualDates = manualForms.map((form) => ({ form, regex: new RegExp(`^${form.pattern}$`) }));

/**
 * Replaces every date and time that stands in the text as a word of its own, in the forms
 * of ISO 8601, RFC 3339, RFC 5322, `ctime` and `date`, by the start of 1970 in the same
 * form. What is no date of the calendar, or has another weekday than the calendar, stays.
 */
export function replaceDates(text: string): string {
  return within.reduce(
    (changed, { form, regex }) =>
      changed.replace(regex, (...matched: unknown[]) => {
        const parts = matched.at(-1) as Parts;
        return isReal(parts) ? form.epoch(parts) : String(matched[0]);
      }),
    text,
  );
}

/** The start of 1970 in the form of `text`, when that is one date and time and nothing else. */
export function epochOfStamp(text: string): string | undefined {
  return epochOf(text, stamps);
}

/** As {@link epochOfStamp}, of the dates in `.TH` and `.Dd` of manual pages: `November 2026`, `2026-11-23`. */
export function epochOfManualDate(text: string): string | undefined {
  return epochOf(text, manualDates);
}

function epochOf(text: string, forms: readonly { form: Form; regex: RegExp }[]): string | undefined {
  if (text.length > 64) return undefined;
  for (const { form, regex } of forms) {
    const parts = regex.exec(text)?.groups;
    if (parts && isReal(parts)) return form.epoch(parts);
  }
  return undefined;
}

function isReal(parts: Parts): boolean {
  const { hour = "0", minute = "0", second = ":0", half: suffix } = parts;
  const isHour = suffix ? /^(?:0[1-9]|1[0-2])$/.test(hour) : Number(hour) < 24;
  if (!isHour || Number(minute) > 59 || Number(second.slice(1)) > 60) return false;
  const monthIndex = /^\d/.test(parts["month"] ?? "")
    ? Number(parts["month"]) - 1
    : months.indexOf((parts["month"] ?? "").slice(0, 3));
  const day = Number(parts["day"] ?? "1");
  const date = new Date(Date.UTC(Number(parts["year"]), monthIndex, day));
  if (date.getUTCMonth() !== monthIndex || date.getUTCDate() !== day) return false;
  return parts["weekday"] === undefined || weekdays[date.getUTCDay()] === parts["weekday"];
}

function epochClock(suffix: string | undefined): string {
  return suffix === undefined ? "00:00:00" : "12:00:00 AM";
}

function epochZone(zone: string): string {
  return zone.replace(/[+-]\d\d(:?)\d\d/, "+00$100");
}

/** Names of zones change with the builder's place and the season. */
function lettersZone(zone: string): string {
  return zone === "" || /\d/.test(zone) ? epochZone(zone) : " UTC";
}
