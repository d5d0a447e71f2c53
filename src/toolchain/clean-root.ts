/**
 * What of a bootstrapped system does not belong into a toolchain image: what the
 * machine that made it left there (its host name, its resolver), what is made anew in
 * each container, caches and logs, what notes when it was made, and documentation that no build
 * reads. Licences stay.
 * Paths have no leading slash.
 */
export function belongsInToolchain(path: string): boolean {
  if (keptWithin.some((pattern) => pattern.test(path))) return true;
  return !left.some((pattern) => pattern.test(path));
}

const keptWithin = [/^usr\/share\/doc\/[^/]+(\/copyright)?$/];

const left = [
  /^(dev|proc|sys|run|tmp)\/./,
  /^etc\/(hostname|resolv\.conf|machine-id|fstab)$/,
  /^etc\/apt\/sources\.list$/,
  /^etc\/dpkg\/dpkg\.cfg\.d\/99mmdebstrap$/,
  /^etc\/apt\/apt\.conf\.d\/99mmdebstrap$/,
  /^etc\/(passwd|group|shadow|gshadow|subuid|subgid)-$/,
  /^etc\/\.pwd\.lock$/,
  /^var\/(log|tmp)\/./,
  /^var\/cache\/(apt|ldconfig|man)\/./,
  /^var\/cache\/debconf\/[^/]+-old$/,
  /^var\/lib\/apt\/./,
  /^var\/lib\/dpkg\/[^/]+-old$/,
  /^var\/lib\/dpkg\/(lock|lock-frontend|triggers\/Lock)$/,
  // Java's copy of the CA certificates: it notes for each the second in which it was put in
  /^etc\/ssl\/certs\/java\/cacerts$/,
  /^usr\/share\/(doc|man|info|locale|lintian)\/./,
];
