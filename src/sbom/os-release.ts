import { cleanText } from "./text.ts";

/** The distribution that an image's packages are of. */
export interface Distribution {
  /** os-release(5) `ID`, or what the package database is at home in. */
  readonly id: string;
  /** `ID-VERSION_ID`, as scanners know distributions by; empty when unknown. */
  readonly label: string;
  /** For people. */
  readonly name: string;
}

/** Where os-release(5) says the file is, in order of preference. */
export const osReleasePaths = ["etc/os-release", "usr/lib/os-release"] as const;

/** Reads os-release(5); `fallback` is the distribution when it does not say. */
export function readOsRelease(bytes: Buffer | undefined, fallback: Distribution): Distribution {
  const fields = new Map<string, string>();
  for (const line of (bytes?.toString("utf8") ?? "").split("\n")) {
    const found = /^([A-Z_]+)=(?:"([^"]*)"|'([^']*)'|(\S*))\s*$/.exec(line);
    if (found?.[1]) fields.set(found[1], found[2] ?? found[3] ?? found[4] ?? "");
  }
  const id = (fields.get("ID") ?? "").toLowerCase();
  if (!/^[a-z0-9._-]{1,64}$/.test(id)) return fallback;
  const version = [fields.get("VERSION_ID"), fields.get("VERSION_CODENAME")].find((value) =>
    /^[A-Za-z0-9._~+-]{1,64}$/.test(value ?? ""),
  );
  const name = cleanText(fields.get("NAME") ?? "").slice(0, 128);
  return { id, label: version === undefined ? id : `${id}-${version}`, name: name === "" ? id : name };
}
