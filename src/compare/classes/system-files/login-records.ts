import type { ContentClass } from "../class.ts";

const indexed: ReadonlySet<string> = new Set(["var/log/lastlog", "var/log/faillog"]);
const appended: ReadonlySet<string> = new Set(["var/log/wtmp", "var/log/btmp"]);

/** Records of logins in which nobody has logged in. */
export const loginRecords: ContentClass = {
  name: "login-records",
  version: 1,
  meaning: "an empty record of logins is there, or is longer",
  normalises: "lastlog and faillog that have nothing but zero bytes, and wtmp and btmp without any, count as nothing",
  safety:
    "nothing is recorded in them: a record of zeros says that this user never logged in; where one is missing, " +
    "logins into a running container are perhaps not recorded",
  applies: ({ path }) => indexed.has(path) || appended.has(path),
  normalise({ path, bytes }) {
    if (appended.has(path)) return bytes.length === 0 ? "absent" : undefined;
    return indexed.has(path) && isZero(bytes) ? "absent" : undefined;
  },
};

/** Compared with itself one byte further on: native speed, for files of a record for every user id. */
function isZero(bytes: Buffer): boolean {
  return bytes.length === 0 || (bytes[0] === 0 && bytes.subarray(1).equals(bytes.subarray(0, -1)));
}
