/** Source of a regular expression for a day, `2026-01-31`. */
export const dayForm = String.raw`\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])`;
/** Source of a regular expression for a time of day, `23:59:60`. */
export const clockForm = String.raw`(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)`;
/** What stands for every day. */
export const plainDay = "1970-01-01";
/** What stands for every time of day. */
export const plainClock = "00:00:00";
