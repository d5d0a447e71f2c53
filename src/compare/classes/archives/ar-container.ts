import { canonicalForm, type ContentClass } from "../class.ts";

const magic = "!<arch>\n";
const maxMembers = 100_000;

/** Static libraries and Debian packages. */
export const arContainer: ContentClass = {
  name: "ar-container",
  version: 2,
  meaning: "an ar archive (a static library, a Debian package) whose members have other times or owners",
  normalises: "members are compared in their order by name, mode and content; times and ids of owners are left out",
  safety: "linkers and dpkg read names and contents; the order, which linkers go by, counts",
  applies: ({ bytes }) => bytes.toString("latin1", 0, magic.length) === magic,
  async normalise({ bytes }, context) {
    const parts: (Buffer | string)[] = [];
    for (let at = magic.length; at < bytes.length; ) {
      const header = bytes.toString("latin1", at, at + 60);
      const size = Number(/^ *(\d{1,10}) *$/.exec(header.slice(48, 58))?.[1] ?? Number.NaN);
      const hasForm = /^.{16}[ \d-]{12}[ \d]{6}[ \d]{6}[ 0-7]{8}.{10}`\n$/s.test(header);
      const end = at + 60 + size;
      if (!hasForm || !(end <= bytes.length) || parts.length > 4 * maxMembers) return undefined;
      const name = header.slice(0, 16).trimEnd();
      const content = bytes.subarray(at + 60, end);
      context.spend(content.length);
      parts.push(name, header.slice(40, 48).trim(), await context.member(name.replace(/\/$/, ""), content));
      // Go fills up with zeros
      const padding = bytes.subarray(end, end + (size % 2));
      if (padding.some((byte) => byte !== 0x0a && byte !== 0)) return undefined;
      parts.push(padding);
      at = end + (size % 2);
    }
    return canonicalForm("ar", parts);
  },
};
