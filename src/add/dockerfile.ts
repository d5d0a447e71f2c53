import type { PlatformName } from "../oci/platform.ts";
import { parsePlatform } from "../oci/platform.ts";
import type { Toolchain } from "../recipe/schema.ts";
import { debianArchitectureOf } from "../toolchain/architecture.ts";
import { goFolderOf } from "./choose-toolchain.ts";
import { configLines, leftSentence } from "./dockerfile-config.ts";
import { shown } from "./text.ts";
import type { ImageFacts, Question, SourceFacts } from "./types.ts";

/** A Dockerfile and what it leaves open. */
export interface ProposedDockerfile {
  readonly text: string;
  readonly questions: readonly Question[];
}

interface Steps {
  readonly lines: readonly string[];
  readonly questions: readonly Question[];
}

const compilers: Readonly<Record<string, string>> = {
  amd64: "x86_64-linux-gnu",
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
 * Proposes a Dockerfile from what was seen: Go's and make's own steps where the source has
 * them, else a skeleton that fails until somebody writes them. `file` is its path from
 * the factory's root.
 */
export function proposeDockerfile(request: {
  readonly file: string;
  readonly image: ImageFacts;
  readonly source: SourceFacts | undefined;
  readonly toolchain: Toolchain;
  readonly platforms: readonly PlatformName[];
}): ProposedDockerfile {
  const { file, image, toolchain } = request;
  const native = "debian" in toolchain ? `linux/${toolchain.debian.architecture}` : toolchain.platform;
  const steps = buildSteps(request);
  const config = configLines(image.config);
  const lines = [
    `FROM --platform=${native} toolchain AS build`,
    "WORKDIR /src",
    "COPY --from=src . .",
    ...steps.lines,
    "",
    "FROM scratch",
    "COPY --from=build /out/ /",
    ...config.lines,
  ];
  const questions: Question[] = [...steps.questions];
  const base = baseSentence(image);
  if (base !== undefined) questions.push({ about: "base", text: base, file, at: "FROM scratch" });
  const left = leftSentence(config.left);
  if (left !== undefined) questions.push({ about: "config", text: left, file, at: "FROM scratch" });
  const moving = image.config.labels
    .map(([name]) => name)
    .filter((name) => /\.(version|revision|created|build-date|vcs-ref)$/.test(name));
  if (moving.length > 0)
    questions.push({
      about: "config",
      text: `the labels ${moving.map((name) => shown(name, 60)).join(", ")} say what this version is; the next one will say something else, and a waiver for config.Labels would answer for that`,
      file,
      at: "LABEL ",
    });
  return { text: `${lines.join("\n")}\n`, questions };
}

function buildSteps(request: Parameters<typeof proposeDockerfile>[0]): Steps {
  const { source, image } = request;
  if (image.go || source?.kind === "go") return goSteps(request);
  switch (source?.kind) {
    case "make":
      return nativeSteps(request, ['make CC="$host-gcc"', "make install DESTDIR=/out"]);
    case "autotools":
      return nativeSteps(request, ['./configure --host="$host" --prefix=/usr', "make", "make install DESTDIR=/out"]);
    case "cmake":
      return nativeSteps(request, [
        'cmake -S . -B /tmp/build -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_COMPILER="$host-gcc" -DCMAKE_INSTALL_PREFIX=/usr',
        "cmake --build /tmp/build",
        "DESTDIR=/out cmake --install /tmp/build",
      ]);
    default:
      return skeleton(request);
  }
}

function goSteps({ file, image, source, toolchain }: Parameters<typeof proposeDockerfile>[0]): Steps {
  const { go } = image;
  const at = "RUN ";
  const questions: Question[] = [];
  const ask = (text: string): void => void questions.push({ about: "build", text, file, at });
  const cgo = go?.settings.get("CGO_ENABLED") === "1" ? "1" : "0";
  const folder = goFolderOf(toolchain);
  const flags = ["-trimpath", "-buildvcs=false"];
  const tags = go?.settings.get("-tags") ?? "";
  if (/^[A-Za-z0-9_.,]+$/.test(tags)) flags.push(`-tags=${tags}`);
  const ldflags = go?.settings.get("-ldflags") ?? "";
  if (/^[A-Za-z0-9 ._=/:@+,-]+$/.test(ldflags)) {
    flags.push(`-ldflags="${ldflags}"`);
    if (/-X[ =]/.test(ldflags)) ask("-ldflags are those of this version; what -X sets may be another text in the next");
  } else if (ldflags !== "") ask(`upstream's -ldflags were not taken over: ${ldflags}`);
  if (!go) ask("no program of the image says how Go built it: the flags are a guess");
  if (go && go.settings.get("-trimpath") !== "true")
    ask("upstream built without -trimpath: its program holds the paths of the machine it was built on");
  if (go?.settings.has("vcs.revision") === true)
    ask("upstream's program carries the commit it was built from (vcs.revision), and the staged source has no .git");
  if (cgo === "1") ask("upstream built with cgo: the toolchain has to have a C compiler for each platform");
  if (source && source.isVendored === false)
    ask("the source does not hold its modules (vendor/), and a build has no network: use a fork that has them");
  const main = mainPackageOf(go?.mainPackage, source?.goModule ?? go?.module);
  if (main === undefined) ask("which package is the program's main is not known: ./ is built");
  const path = go && /^[A-Za-z0-9._/+-]+$/.test(go.path) ? go.path : "/app";
  const environment = `CGO_ENABLED=${cgo} GOOS=linux GOARCH="$TARGETARCH" GOARM="\${TARGETVARIANT#v}"`;
  const program = folder === undefined ? "go" : `${folder}/bin/go`;
  return {
    lines: [
      "ARG TARGETARCH",
      "ARG TARGETVARIANT",
      `RUN ${environment} GOTOOLCHAIN=local GOPROXY=off GOCACHE=/tmp/cache \\`,
      `    ${program} build ${flags.join(" ")} -o /out${path} ${main ?? "."}`,
    ],
    questions,
  };
}

function mainPackageOf(mainPackage: string | undefined, module: string | undefined): string | undefined {
  if (mainPackage === undefined || module === undefined || !/^[A-Za-z0-9._/~+-]+$/.test(mainPackage)) return undefined;
  if (mainPackage === module) return ".";
  return mainPackage.startsWith(`${module}/`) ? `./${mainPackage.slice(module.length + 1)}` : undefined;
}

/** Steps of make, cmake and configure, with the compiler of each platform. */
function nativeSteps(
  { file, image, platforms }: Parameters<typeof proposeDockerfile>[0],
  commands: readonly string[],
): Steps {
  const hosts = new Map<string, string>();
  for (const platform of platforms) {
    const { architecture, variant } = parsePlatform(platform);
    const host = compilers[debianArchitectureOf(platform)];
    if (host !== undefined) hosts.set(variant === undefined ? architecture : `${architecture}${variant}`, host);
  }
  const cases = [...hosts].map(([name, host]) => `${name}) host=${host} ;;`).join(" ");
  return {
    lines: [
      "ARG SOURCE_DATE_EPOCH",
      "ARG TARGETARCH",
      "ARG TARGETVARIANT",
      `RUN case "$TARGETARCH$TARGETVARIANT" in ${cases} *) exit 1 ;; esac && \\`,
      ...commands.map((command, index) => `    ${command}${index + 1 < commands.length ? " && \\" : ""}`),
    ],
    questions: [
      {
        about: "build",
        text: `the steps are the usual ones, and nobody tried them; what they install has to be what upstream's image holds${holds(image)}`,
        file,
        at: "RUN ",
      },
    ],
  };
}

function skeleton({ file, image }: Parameters<typeof proposeDockerfile>[0]): Steps {
  const seen = image.files.length > 0 ? image.files : image.programs;
  return {
    lines: [
      "# upstream's image holds:",
      ...seen.map(({ path, size }) => `#   ${path} (${size} bytes)`),
      ...(seen.length === 0 ? ["#   (its files were too many to list)"] : []),
      "# put what it is to hold into /out, from what is in /src, without network",
      'RUN echo "the Dockerfile does not say yet how this is built" >&2; exit 1',
    ],
    questions: [
      {
        about: "build",
        text: "how the source is built is not known: write the steps in place of the line that fails",
        file,
        at: "RUN echo",
      },
    ],
  };
}

function holds(image: ImageFacts): string {
  const programs = (image.programs.length > 0 ? image.programs : image.files).slice(0, 5).map(({ path }) => path);
  return programs.length === 0 ? "" : `: ${programs.join(", ")}`;
}

function baseSentence({ packages, distribution, base, hasShell }: ImageFacts): string | undefined {
  const counted = packages.map(({ type, count }) => `${count} ${type} packages`).join(" and ");
  const what = [base && `the base ${base.name}`, distribution, counted === "" ? undefined : counted]
    .filter((part) => part !== undefined)
    .join(", ");
  if (what === "") {
    return hasShell === true
      ? "upstream's image has a shell, and neither package database nor os-release says where it is from"
      : undefined;
  }
  return `upstream's image sits on ${what}, and scratch holds nothing of that: say where those files come from`;
}
