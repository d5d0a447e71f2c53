import { canonicalJson } from "../json.ts";
import { type Digest, digestOf } from "../oci/digest.ts";
import type { PlatformName } from "../oci/platform.ts";

/** Everything that may change what a build gives; each field says why it is here. */
export interface BuildKeyInput {
  /** The staged source, byte for byte. */
  readonly sourceArchive: Digest;
  /** Dockerfile, patches and files beside them. */
  readonly contextDigest: Digest;
  /** Which of them is the Dockerfile. */
  readonly dockerfile: string;
  /** Which of them are applied to the source, in this order; left out where there are none. */
  readonly patches?: readonly string[];
  /** The compilers and libraries. */
  readonly toolchain: Digest;
  /** Further sources, images and toolchains, by the names of their contexts; left out where there are none. */
  readonly contexts?: Readonly<Record<string, Digest | null>>;
  /** Passed to the Dockerfile. */
  readonly buildArgs: Readonly<Record<string, string>>;
  /** What is built for. */
  readonly platform: PlatformName;
  /** SOURCE_DATE_EPOCH; ends up in file times, and in programs that ask for it. */
  readonly epoch: number;
  /** Another BuildKit may write other configs and layers. */
  readonly builder: string;
  /** How layers are exported. */
  readonly exporter: Readonly<Record<string, string>>;
  /** What we do to the image after the build: names, versions and the gzip encoder. */
  readonly normaliser: string;
}

/** The build key: the digest of the canonical JSON of its input. */
export function buildKeyOf(input: BuildKeyInput): Digest {
  return digestOf(canonicalJson(input));
}
