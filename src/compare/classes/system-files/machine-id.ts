import { canonicalForm, type ContentClass } from "../class.ts";

const paths: ReadonlySet<string> = new Set(["etc/machine-id", "var/lib/dbus/machine-id"]);
const form = /^(?:(?!0{32})[0-9a-f]{32}\n?|uninitialized\n|\n?)$/;

/** The machine's id, set or to be set. */
export const machineId: ContentClass = {
  name: "machine-id",
  version: 1,
  meaning: "the machine id is another one, or is left to be set at the first start",
  normalises: "32 hexadecimal digits, the word uninitialized and an empty file become one form (machine-id(5))",
  safety:
    "the id is random and no program does anything else for another one; whether it is set decides only if systemd, " +
    "where it runs at all, sets one and takes the start for the machine's first",
  warning: "a machine id that is set in an image is shared by all its containers",
  applies: ({ path }) => paths.has(path),
  normalise({ path, bytes }) {
    const isKnown = paths.has(path) && bytes.length <= 33 && form.test(bytes.toString("latin1"));
    return isKnown ? canonicalForm("machine-id", []) : undefined;
  },
};
