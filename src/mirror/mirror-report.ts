import type { Problem } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import { cut, plainText, shortDigest, widthOf } from "../report/text.ts";
import type { MappedImage } from "./mapping.ts";
import type { MirroredTag } from "./mirror-images.ts";
import type { MirrorAction } from "./plan-mirror.ts";

/** One tag in the document. */
export interface MirrorDocumentTag {
  /** `docker.io/library/busybox` */
  readonly image: string;
  readonly tag: string;
  /** The mirrored image's reference, with its tag. */
  readonly destination: string;
  readonly action: MirrorAction;
  readonly reason: string;
  /** What the tag names upstream. */
  readonly digest: Digest | null;
  /** What the mirrored tag names, where this run looked or wrote; another than `digest` where only some platforms are mirrored. */
  readonly mirrored: Digest | null;
  /** `upstream-moved` with what the tag was, where the lock says that it was something else. */
  readonly class?: "upstream-moved";
  readonly previous?: Digest;
  readonly blobs: number;
  readonly bytesCopied: number;
  readonly bytesThere: number;
  readonly manifests: number;
  readonly referrers: number;
  readonly foreignLayers: number;
  readonly problems?: readonly Problem[];
}

/** What `refoundry mirror --json` prints. */
export interface MirrorDocument {
  readonly schema: "refoundry/mirror/v1";
  readonly destination: string;
  /** Whether it was only said what would be done. */
  readonly dryRun: boolean;
  readonly lock: { readonly path: string; readonly changed: boolean };
  readonly tags: readonly MirrorDocumentTag[];
  readonly bytesCopied: number;
  readonly failed: number;
  readonly moved: number;
  readonly gone: number;
}

/** What came of a run, for machines. */
export function mirrorDocument(
  results: readonly MirroredTag[],
  run: Pick<MirrorDocument, "destination" | "dryRun" | "lock">,
): MirrorDocument {
  const tags = results.map(documentTag);
  const count = (wanted: MirrorAction): number => tags.filter(({ action }) => action === wanted).length;
  return {
    schema: "refoundry/mirror/v1",
    ...run,
    tags,
    bytesCopied: tags.reduce((sum, { bytesCopied }) => sum + bytesCopied, 0),
    failed: count("failed"),
    moved: tags.filter((tag) => tag.class === "upstream-moved").length,
    gone: count("gone"),
  };
}

function documentTag(result: MirroredTag): MirrorDocumentTag {
  const { image, tag, destination, action, reason, upstream, mirrored, previous, copied, problems } = result;
  const hasMoved = previous !== undefined && upstream !== undefined;
  return {
    image,
    tag,
    destination: `${destination}:${tag}`,
    action,
    reason,
    digest: upstream ?? null,
    mirrored: copied?.descriptor.digest ?? mirrored ?? null,
    ...(hasMoved && { class: "upstream-moved" }),
    ...(previous !== undefined && { previous }),
    blobs: copied?.blobs ?? 0,
    bytesCopied: copied?.bytesCopied ?? 0,
    bytesThere: copied?.bytesThere ?? 0,
    manifests: copied?.manifests ?? 0,
    referrers: copied?.referrers ?? 0,
    foreignLayers: copied?.foreignLayers ?? 0,
    ...(problems && { problems }),
  };
}

/** What came of a run, for people: a table, then what moved, is gone or failed, one by one. */
export function renderMirrorTable({ tags, dryRun, bytesCopied, lock }: MirrorDocument): string {
  const rows = tags.map((tag) =>
    [`${tag.image}:${tag.tag}`, tag.action, shortDigest(tag.digest), amountOf(tag, dryRun)].map(plainText),
  );
  const header = ["image", dryRun ? "would be" : "came out", "digest", dryRun ? "" : "copied"];
  const widths = header.map((title, column) =>
    Math.min(maxCellColumns, Math.max(widthOf(title), ...rows.map((row) => widthOf(row[column] ?? "")))),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => {
        const shown = cut(cell, maxCellColumns);
        return shown + " ".repeat(Math.max(0, (widths[column] ?? 0) - widthOf(shown)));
      })
      .join("  ")
      .trimEnd();
  const told = tags.filter((tag) => tag.class !== undefined || tag.action === "gone" || tag.action === "failed");
  const failed = tags.filter(({ action }) => action === "failed").length;
  const end = [
    `${tags.length} ${tags.length === 1 ? "tag" : "tags"}`,
    ...(dryRun ? ["nothing was written"] : [`${megabytes(bytesCopied)} copied`]),
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(lock.changed ? [`${plainText(lock.path)} changed: commit it`] : []),
  ];
  return [line(header), ...rows.map(line), "", ...told.flatMap(explain), end.join("; ")].join("\n");
}

const maxCellColumns = 70;

function amountOf({ action, bytesCopied, referrers }: MirrorDocumentTag, dryRun: boolean): string {
  if (dryRun || action === "failed" || action === "gone") return "";
  const others = referrers === 0 ? "" : `, ${referrers} ${referrers === 1 ? "referrer" : "referrers"}`;
  return `${bytesCopied === 0 ? "nothing" : megabytes(bytesCopied)}${others}`;
}

function explain({ image, tag, action, reason, problems, ...rest }: MirrorDocumentTag): string[] {
  const name = plainText(`${image}:${tag}`);
  const lines =
    rest.class === undefined ? [] : [`${name}: upstream-moved: was ${rest.previous ?? ""}, is ${rest.digest ?? ""}`];
  if (action === "gone") lines.push(`${name}: gone: ${plainText(reason)}`);
  for (const { message, hint } of action === "failed" ? (problems ?? []) : []) {
    lines.push(`${name}: failed: ${plainText(message)}`);
    if (hint !== undefined) lines.push(`  ${plainText(hint)}`);
  }
  return [...lines, ""];
}

function megabytes(bytes: number): string {
  return bytes < 100_000 ? `${bytes} bytes` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** 3 where a registry failed; 1 where the mirror lacks what its file names, as upstream has it no more; 0 otherwise. */
export function mirrorExitCode({ tags }: MirrorDocument): number {
  if (tags.some(({ action }) => action === "failed")) return 3;
  return tags.some(({ action, mirrored }) => action === "gone" && mirrored === null) ? 1 : 0;
}

/** The images that have a mirror now, with the tags that do. */
export function mappedImages(results: readonly MirroredTag[]): MappedImage[] {
  const images = new Map<string, { from: string; to: string; tags: string[] }>();
  for (const { image, destination, tag, copied, mirrored } of results) {
    if (copied === undefined && mirrored === undefined) continue;
    const mapped = images.get(image) ?? { from: image, to: destination, tags: [] };
    mapped.tags.push(tag);
    images.set(image, mapped);
  }
  return [...images.values()];
}
