import type { Digest } from "../oci/digest.ts";
import type { PlatformName } from "../oci/platform.ts";
import type { Descriptor } from "../oci/types.ts";

/** Artifact types of what an escrow holds; docs/escrow.md describes each. */
export const artifactTypes = {
  /** An image index: all that one release stands on. */
  capsule: "application/vnd.refoundry.capsule.v1+json",
  /** The recipe with all it names, as a tar. */
  recipe: "application/vnd.refoundry.recipe.v1+json",
  /** One pinned commit as a git bundle, and the files it was imported from. */
  source: "application/vnd.refoundry.source.v1+json",
  /** Binary packages, one layer each. */
  packages: "application/vnd.refoundry.packages.v1+json",
  /** Source packages of binary packages, a layer for each file. */
  "package-sources": "application/vnd.refoundry.package-sources.v1+json",
  /** A pinned index of which not every child is held: its bytes. */
  document: "application/vnd.refoundry.index-document.v1+json",
  /** Refers to a capsule: since when it is held. */
  held: "application/vnd.refoundry.held.v1+json",
  /** Refers to a release's index: which capsule it can be built again from. */
  reference: "application/vnd.refoundry.capsule-reference.v1+json",
} as const;

/** Annotations of capsules and their components. */
export const annotationNames = {
  recipe: "dev.refoundry.recipe",
  version: "dev.refoundry.version",
  /** The release index that a rebuild has to give. */
  expectedIndex: "dev.refoundry.expected-index",
  /** A {@link ComponentKind}. */
  component: "dev.refoundry.component",
  /** What of the release it is an input for, see {@link Holding.of}. */
  of: "dev.refoundry.of",
  /** The digest that the release pins, where it is an index and this one of its children. */
  pinned: "dev.refoundry.pinned",
  platform: "dev.refoundry.platform",
  commit: "dev.refoundry.source.commit",
  tree: "dev.refoundry.source.tree",
  /** A file's path below a Debian mirror's root. */
  path: "dev.refoundry.debian.path",
  packageName: "dev.refoundry.package.name",
  packageVersion: "dev.refoundry.package.version",
  architecture: "dev.refoundry.package.architecture",
  /** Media type of a pinned index that is kept as a blob. */
  mediaType: "dev.refoundry.media-type",
  /** Digest of the capsule that a release can be built again from, and the escrow that holds it. */
  capsule: "dev.refoundry.capsule",
  escrow: "dev.refoundry.escrow",
  title: "org.opencontainers.image.title",
  created: "org.opencontainers.image.created",
} as const;

/** What a child of a capsule is. */
export type ComponentKind = "recipe" | "source" | "image" | "packages" | "package-sources" | "document";

/** What a release stands on comes in these forms. */
export type HoldingKind =
  /** The recipe's own files. */
  | "recipe"
  /** A git commit. */
  | "commit"
  /** A file of a Debian source package. */
  | "source-file"
  /** An image's manifest, with its config and layers; or what a toolchain's reference pins, which may be an index. */
  | "image"
  /** An index of which the release uses some children. */
  | "index"
  /** A binary package. */
  | "package"
  /** A file of the source package that a binary package was built from. */
  | "package-source"
  /** A program whose version took part in the recorded digests; it is named, not held. */
  | "tool";

/** One input of a release as its pins name it. */
export interface Holding {
  readonly kind: HoldingKind;
  /** What it is an input for: `recipe`, `source`, `toolchain`, `upstream`, `tool`, or the name of a build context. */
  readonly of: string;
  readonly name: string;
  readonly version: string;
  /** sha256 of the bytes or of the manifest. Absent for a commit, the recipe and tools. */
  readonly digest?: Digest;
  /** Full commit id, of a `commit`. */
  readonly commit?: string;
  /** The commit's tree, of a `commit`. */
  readonly tree?: string;
  /** Bytes, where the release pins them. */
  readonly size?: number;
  readonly mediaType?: string;
  /** Below a Debian mirror's root, of packages and source files. */
  readonly path?: string;
  readonly architecture?: string;
  readonly platform?: PlatformName;
  /** As `vendor-sources/` declares it, of sources; as its copyright file says, of a package's source. */
  readonly licence?: string;
  /** Of a `package`: nothing pins its source package, although something should. */
  readonly lacksSource?: true;
  /** Where it comes from when nobody holds it, in order of preference: addresses or image references. */
  readonly origins: readonly string[];
}

/** One piece of content that a capsule holds. */
export interface HeldContent {
  readonly kind: Exclude<HoldingKind, "tool">;
  readonly name: string;
  readonly version: string;
  /** The content itself: a blob of a file or bundle, an image's manifest. */
  readonly descriptor: Descriptor;
  /** The commit that a bundle holds. */
  readonly commit?: string;
  readonly path?: string;
  readonly architecture?: string;
  /** Config and layers, of an image. */
  readonly below?: readonly Descriptor[];
}

/** One child of a capsule. */
export interface CapsuleComponent {
  readonly kind: ComponentKind;
  readonly of: string;
  /** The child as the capsule names it. */
  readonly descriptor: Descriptor;
  /** The digest that the release pins for it, when it is not the child's own. */
  readonly pinned?: Digest;
  readonly platform?: string;
  readonly contents: readonly HeldContent[];
}

/** All that one release stands on, as an escrow holds it. */
export interface Capsule {
  /** The capsule's own index. */
  readonly descriptor: Descriptor;
  readonly recipe: string;
  readonly version: string;
  /** The release index that a rebuild has to give, where the release recorded one. */
  readonly expectedIndex?: Digest;
  readonly components: readonly CapsuleComponent[];
}

/** When a capsule was put into the escrow, and with what. */
export interface HeldSince {
  /** RFC 3339. */
  readonly since: string;
  /** Versions of the programs that took part in the recorded digests, by name. */
  readonly tools: Readonly<Record<string, string>>;
  /** Where content came from, by its commit or digest, as far as it is known. */
  readonly origins: Readonly<Record<string, string>>;
}
