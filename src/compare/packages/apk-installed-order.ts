import type { ContentClass } from "../classes/class.ts";
import { isApkDatabase, recordsOf } from "./apk.ts";

/** The order of packages in apk's database. */
export const apkInstalledOrder: ContentClass = {
  name: "apk-installed-order",
  version: 1,
  meaning: "the same packages in apk's database, in another order",
  normalises: "records are sorted; nothing in them is changed",
  safety: "apk reads the file as a set of packages",
  applies: ({ path }) => isApkDatabase(path),
  normalise: ({ bytes }) =>
    Buffer.from(
      recordsOf(bytes)
        .map((lines) => lines.join("\n"))
        .toSorted()
        .join("\n\n"),
      "latin1",
    ),
};
