import type { Digest } from "../oci/digest.ts";
import type { PlatformName } from "../oci/platform.ts";
import type { Reference } from "../oci/reference.ts";
import type { Descriptor } from "../oci/types.ts";
import type { DocumentPath } from "../recipe/yaml-tree.ts";

/** What an image's config says of how it runs (image-spec, config.md), as far as it is well formed and bounded. */
export interface RuntimeConfig {
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  /** Pairs in the order of the config. */
  readonly env: readonly (readonly [name: string, value: string])[];
  readonly user: string;
  readonly workingDir: string;
  /** As in `8080/tcp`. */
  readonly ports: readonly string[];
  readonly volumes: readonly string[];
  readonly stopSignal: string;
  /** By name, in code-unit order. */
  readonly labels: readonly (readonly [name: string, value: string])[];
  /** Fields that this does not speak of, or that were too many or too long. */
  readonly left: readonly string[];
}

/** What a Go program of an image says of itself (debug/buildinfo). */
export interface GoProgram {
  /** Absolute, in the image. */
  readonly path: string;
  /** As in `go1.26.1`. */
  readonly goVersion: string;
  readonly module: string;
  /** Empty where it was built from a checkout. */
  readonly version: string;
  /** The package of `main`, where it says. */
  readonly mainPackage?: string;
  /** Build settings by name: `vcs.revision`, `CGO_ENABLED`, `-ldflags`. */
  readonly settings: ReadonlyMap<string, string>;
}

/** A file of the image. */
export interface SeenFile {
  /** Absolute; what would move a terminal's cursor is replaced. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
}

/** What was seen in a live image. */
export interface ImageFacts {
  readonly reference: Reference;
  /** Of what the reference names: an index or a manifest. */
  readonly descriptor: Descriptor;
  /** Platforms of Linux, in the order of the index. */
  readonly platforms: readonly PlatformName[];
  /** Platforms that nothing here can build for, as the index calls them. */
  readonly otherPlatforms: readonly string[];
  /** The one whose files were read. */
  readonly looked: PlatformName;
  readonly config: RuntimeConfig;
  /** `org.opencontainers.image.base.*`, from annotations or labels. */
  readonly base?: { readonly name: string; readonly digest?: Digest };
  /** `PRETTY_NAME` of os-release(5), or its `ID`. */
  readonly distribution?: string;
  /** Undefined where the files were not read. */
  readonly hasShell?: boolean;
  readonly packages: readonly { readonly type: "deb" | "apk"; readonly count: number }[];
  readonly go?: GoProgram;
  /** Programs that no package owns, largest first. */
  readonly programs: readonly SeenFile[];
  /** Every file of a small image; none of a large one. */
  readonly files: readonly SeenFile[];
  /** What could not be read, as sentences. */
  readonly gaps: readonly string[];
}

/** How a source says that it is built. */
export type SourceKind = "go" | "cmake" | "autotools" | "meson" | "make" | "cargo" | "node" | "python" | "unknown";

/** What was seen in the source at the chosen revision. */
export interface SourceFacts {
  readonly kind: SourceKind;
  /** Names at the top of the tree. */
  readonly top: readonly string[];
  /** SPDX identifier that a licence file reads like, and that file. */
  readonly licence?: { readonly id: string; readonly file: string };
  /** Go: whether all modules are in the tree (`vendor/`), or there are none. */
  readonly isVendored?: boolean;
  /** Go: the module that `go.mod` declares. */
  readonly goModule?: string;
}

/** Which commit of the source the version is, and how that is known. */
export interface Revision {
  readonly commit: string;
  /** The tag that names it; absent where only the image's label does. */
  readonly tag?: string;
}

/** What add could not find out: a person answers it, in that file. */
export interface Question {
  /** Which kind of question, for programs. */
  readonly about:
    | "source"
    | "revision"
    | "licence"
    | "owners"
    | "toolchain"
    | "platforms"
    | "build"
    | "base"
    | "config"
    | "smoke"
    | "upstream"
    | "version"
    | "release";
  readonly text: string;
  /** From the factory's root. */
  readonly file: string;
  /** In YAML the path of the key; in a Dockerfile the beginning of the line. */
  readonly at?: DocumentPath | string;
}

/** A question with the line that answers it. */
export interface PlacedQuestion extends Omit<Question, "at"> {
  /** Counts from 1; absent where the file does not exist yet. */
  readonly line?: number;
}
