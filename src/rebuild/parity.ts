import type { Difference } from "../compare/types.ts";

/** GNU triplets as Debian names folders of libraries by them (multiarch). */
const triplet =
  /\b(?:x86_64|aarch64|arm|i[3-6]86|powerpc64le|riscv64|s390x|loongarch64|mips64el)-linux-gnu(?:eabi(?:hf)?|abi64)?\b/g;

/** Folders of what Go compiled for a platform, GOOS_GOARCH. */
const goFolder = /(?<=\/pkg\/(?:tool\/)?)linux_(?:386|amd64|arm|arm64|loong64|mips64le|ppc64le|riscv64|s390x)(?=\/|$)/;

/** The dynamic loader of each platform's ABI. */
const loader =
  /^(?<folder>(?:\/usr)?)\/lib(?:64)?\/(?<inner>(?:TRIPLET\/)?)(?:ld-linux(?:-(?:x86-64|aarch64|armhf|riscv64-lp64d|loongarch-lp64d))?\.so\.[123]|ld64\.so\.[12])$/;

/**
 * What breaks parity between two platforms of one image: anything but other machine code,
 * the platform's own name in the config, and files that both have under the names that
 * each platform gives them (folders by triplet or by Go's GOOS_GOARCH, the dynamic loader), or
 * links to these.
 */
export function parityBreaks(differences: readonly Difference[]): readonly Difference[] {
  const open = differences.filter(({ weight }) => weight === "unexplained");
  const missing = open.filter(({ class: name }) => name.startsWith("entry-missing-"));
  const renamed = new Set(isOnlyRenamed(missing) ? missing : []);
  return open.filter((difference) => !renamed.has(difference) && !isOtherPlatform(difference));
}

function isOtherPlatform({ class: name, paths, count, detail }: Difference): boolean {
  if (name === "file-content") return true;
  // the detail is that of one link, so that of several nothing is known
  const [, left = "", right = ""] = /^target (\S+) and (\S+)$/.exec(detail) ?? [];
  if (name === "link-target") return count === 1 && left !== "" && commonName(left) === commonName(right);
  return name === "config-platform" && paths.every((path) => path === "architecture" || path === "variant");
}

function isOnlyRenamed(missing: readonly Difference[]): boolean {
  // of many only the first are listed, and what is not seen is not judged
  if (missing.some(({ count, paths }) => count !== paths.length)) return false;
  const namesOf = (side: "left" | "right"): string =>
    missing
      .flatMap(({ class: name, paths }) => (name === `entry-missing-${side}` ? paths.map(commonName) : []))
      .toSorted()
      .join("\n");
  return namesOf("left") === namesOf("right");
}

/** A path with the same name on every platform. */
function commonName(path: string): string {
  return path
    .replaceAll(triplet, "TRIPLET")
    .replace(goFolder, "GOOS_GOARCH")
    .replace(loader, "$<folder>/LIB/$<inner>LOADER");
}
