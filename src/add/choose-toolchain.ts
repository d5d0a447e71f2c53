import { usageError } from "../errors.ts";
import type { PlatformName } from "../oci/platform.ts";
import { loadToolchain } from "../recipe/load.ts";
import type { Toolchain } from "../recipe/schema.ts";
import { listNamed } from "../recipe/tree.ts";
import { didYouMean, quoted } from "../recipe/words.ts";
import { debianArchitectureOf } from "../toolchain/architecture.ts";
import type { ImageFacts, SourceFacts } from "./types.ts";

/** The toolchain a recipe gets, and whether somebody said so. */
export interface ChosenToolchain {
  readonly toolchain: Toolchain;
  /** Why it was taken, as a sentence; absent where it was asked for. */
  readonly reason?: string;
}

/** GNU's names of Debian's architectures, in the packages of cross compilers. */
const triplets: Readonly<Record<string, string>> = {
  amd64: "x86-64-linux-gnu",
  arm64: "aarch64-linux-gnu",
  armhf: "arm-linux-gnueabihf",
  armel: "arm-linux-gnueabi",
  i386: "i686-linux-gnu",
  ppc64el: "powerpc64le-linux-gnu",
  s390x: "s390x-linux-gnu",
  riscv64: "riscv64-linux-gnu",
  loong64: "loongarch64-linux-gnu",
};

/**
 * Chooses among the factory's toolchains: the one that is named, the one with the Go that
 * the image's program was built with, one with a C compiler, or the only one. Throws a
 * usage error when none fits, which lists what there is.
 */
export async function chooseToolchain(
  root: string,
  asked: string | undefined,
  image: ImageFacts,
  source: SourceFacts | undefined,
): Promise<ChosenToolchain> {
  const names = await listNamed(root, "toolchain");
  const there = names.length === 0 ? "there are none yet in recipes/toolchains/" : `there are: ${names.join(", ")}`;
  if (asked !== undefined) {
    if (names.includes(asked)) return { toolchain: await loadToolchain(root, asked) };
    throw usageError(`there is no toolchain ${quoted(asked)}`, { hint: didYouMean(asked, names) ?? there });
  }
  const toolchains = await Promise.all(names.map((name) => loadToolchain(root, name)));
  const found = fitting(toolchains, image, source);
  if (found) return found;
  const [only] = toolchains;
  if (only && toolchains.length === 1) return { toolchain: only, reason: "it is the only one there is" };
  throw usageError("which toolchain builds this cannot be told from what the image and its source say", {
    hint: `name one with --toolchain; ${there}`,
  });
}

function fitting(
  toolchains: readonly Toolchain[],
  image: ImageFacts,
  source: SourceFacts | undefined,
): ChosenToolchain | undefined {
  const release = /^go(\d+\.\d+)/.exec(image.go?.goVersion ?? "")?.[1];
  if (release !== undefined || source?.kind === "go") {
    const withGo = toolchains.filter(hasGo);
    const same = withGo.find((toolchain) => release !== undefined && goReleaseOf(toolchain) === release);
    if (same) return { toolchain: same, reason: `the image's program was built with Go ${release}, and it has that` };
    const newest = withGo.toSorted((a, b) => compareReleases(goReleaseOf(a), goReleaseOf(b))).at(-1);
    const wanted = release === undefined ? "" : `, and the image's program was built with ${release}`;
    return newest && { toolchain: newest, reason: `it has Go ${goReleaseOf(newest) ?? "of some release"}${wanted}` };
  }
  if (!["make", "cmake", "autotools", "meson"].includes(source?.kind ?? "")) return undefined;
  const compiling = toolchains.find((toolchain) =>
    packagesOf(toolchain).some((name) => /^(gcc|clang)(-|$)/.test(name)),
  );
  return compiling && { toolchain: compiling, reason: "the source looks like C or C++, and it has a compiler" };
}

/**
 * Whether a toolchain can build for a platform; undefined where its package list, or the
 * lack of one, does not tell. `pureGo` is for programs that need no C compiler.
 */
export function canBuild(toolchain: Toolchain, platform: PlatformName, pureGo: boolean): boolean | undefined {
  if (pureGo && hasGo(toolchain)) return true;
  if (!("debian" in toolchain)) return platform === toolchain.platform ? true : undefined;
  const { architecture, foreign, packages } = toolchain.debian;
  const wanted = debianArchitectureOf(platform);
  if (wanted === architecture || foreign.includes(wanted)) return true;
  const triplet = triplets[wanted];
  return triplet !== undefined && packages.some((name) => name.split(":")[0] === `gcc-${triplet}`);
}

/** Whether a toolchain has Go, by its packages or its image's name. */
export function hasGo(toolchain: Toolchain): boolean {
  return packagesOf(toolchain).some((name) => /^golang(-|$)/.test(name)) || /(^|\/)golang[:@]/.test(imageOf(toolchain));
}

/** The folder of Debian's Go with `bin/go`; undefined where `go` is in the PATH. */
export function goFolderOf(toolchain: Toolchain): string | undefined {
  const [, release] = packagesOf(toolchain).flatMap((name) => /^golang-(\d+\.\d+)-go$/.exec(name) ?? []);
  return release === undefined ? undefined : `/usr/lib/go-${release}`;
}

function goReleaseOf(toolchain: Toolchain): string | undefined {
  const texts = [...packagesOf(toolchain), imageOf(toolchain), toolchain.toolchain];
  return texts.flatMap((text) => /(?:golang-|golang:|^go-?)(\d+\.\d+)/.exec(text)?.[1] ?? [])[0];
}

function compareReleases(a: string | undefined, b: string | undefined): number {
  const [x, y] = [a, b].map((text) => Number((text ?? "0.0").split(".")[1]));
  return (x ?? 0) - (y ?? 0);
}

function packagesOf(toolchain: Toolchain): readonly string[] {
  return "debian" in toolchain ? toolchain.debian.packages : [];
}

function imageOf(toolchain: Toolchain): string {
  return "image" in toolchain ? toolchain.image : "";
}
