import type { ContentClass } from "../classes/class.ts";

const path = /^var\/lib\/dpkg\/info\/[^/]+\.(?:list|md5sums)$/;

/** The order of files in dpkg's lists. */
export const dpkgInfoOrder: ContentClass = {
  name: "dpkg-info-order",
  version: 1,
  meaning: "the same files in a package's list or checksums, in another order",
  normalises: "lines are sorted; none is dropped",
  safety: "dpkg reads both as sets",
  applies: (file) => path.test(file.path),
  normalise: ({ bytes }) => Buffer.from(bytes.toString("latin1").split("\n").toSorted().join("\n"), "latin1"),
};
