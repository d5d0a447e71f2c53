import { type EntryClass, isEmpty } from "../entry-class.ts";

const paths: ReadonlySet<string> = new Set([
  ".dockerenv",
  "dev",
  "dev/console",
  "dev/pts",
  "dev/shm",
  "etc/hostname",
  "etc/hosts",
  "etc/mtab",
  "etc/resolv.conf",
  "proc",
  "run/.containerenv",
  "sys",
]);

/** Empty files and folders that container runtimes leave where they mount something. */
export const mountPointLeftover: EntryClass = {
  name: "mount-point-leftover",
  version: 1,
  meaning: "an empty file or folder where a runtime mounts its own: /dev, /proc, /sys, /etc/resolv.conf, .dockerenv",
  normalises: "an empty file or folder at one of these paths, with plain attributes, counts as nothing",
  safety: "every runtime mounts over these paths before anything runs, so nothing ever sees what the image has there",
  vanishes: (path, entry) => paths.has(path) && isEmpty(entry),
};
