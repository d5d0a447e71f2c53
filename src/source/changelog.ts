import { usageError } from "../errors.ts";

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/**
 * The date of the newest entry of a Debian changelog (deb-changelog(5)), in seconds:
 * what Debian's own builds use as SOURCE_DATE_EPOCH.
 */
export function changelogDate(changelog: string): number {
  const trailer =
    /^ -- .*? <[^>]*> {2}(?:[A-Z][a-z]{2}, )?(\d{1,2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})\s*$/m.exec(
      changelog,
    );
  const [, day, month = "", year, hours, minutes, seconds, sign, zoneHours, zoneMinutes] = trailer ?? [];
  const at = months.indexOf(month);
  if (!trailer || at === -1) throw usageError("debian/changelog has no entry with a date");
  const local = Date.UTC(Number(year), at, Number(day), Number(hours), Number(minutes), Number(seconds)) / 1000;
  const zone = (Number(zoneHours) * 60 + Number(zoneMinutes)) * 60;
  return sign === "+" ? local - zone : local + zone;
}
