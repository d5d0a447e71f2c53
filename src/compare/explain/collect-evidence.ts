import { showContent, showDocument } from "../evidence/show.ts";
import { evidenceLimits, type FileEvidence, type PlatformEvidence } from "../evidence/types.ts";
import type { FlatEntry } from "../entry.ts";
import type { Finding } from "../findings.ts";
import type { SideImage } from "../read-layers.ts";
import type { Residual } from "../tree-residuals.ts";
import type { ContentStore } from "./contents.ts";

/** Files as evidence has them. */
export type FilesShown = Pick<PlatformEvidence, "files" | "omitted">;

const weights: readonly FileEvidence["weight"][] = ["unexplained", "drift", "explained"];

/** What there is to see of the files that differ: what has no explanation first. */
export async function collectEvidence(
  residuals: readonly Residual[],
  findings: readonly Finding[],
  store: ContentStore,
): Promise<FilesShown> {
  const byPath = new Map<string, Finding[]>();
  for (const finding of findings) {
    const known = byPath.get(finding.path);
    if (known) known.push(finding);
    else byPath.set(finding.path, [finding]);
  }
  const ranked = residuals
    .map((residual) => ({ residual, found: byPath.get(`/${residual.path}`) ?? [] }))
    .map((item) => ({ ...item, weight: worst(item.found) }))
    .toSorted((a, b) => weights.indexOf(a.weight) - weights.indexOf(b.weight));
  const files: FileEvidence[] = [];
  for (const { residual, found, weight } of ranked.slice(0, evidenceLimits.files)) {
    const { path, left, right } = residual;
    const shown = await showResidual(residual, store);
    files.push({
      path: `/${path}`,
      classes: [...new Set(found.map((finding) => finding.class))],
      weight,
      ...(left && { left: describeEntry(left) }),
      ...(right && { right: describeEntry(right) }),
      ...(shown && { shown }),
    });
  }
  const omitted = ranked.length - files.length;
  return { files: files.toSorted((a, b) => (a.path < b.path ? -1 : 1)), omitted };
}

function worst(findings: readonly Finding[]): FileEvidence["weight"] {
  return weights.find((weight) => findings.some((finding) => finding.weight === weight)) ?? "explained";
}

async function showResidual({ left, right }: Residual, store: ContentStore): Promise<FileEvidence["shown"]> {
  if (!left || !right || left.facts.content === right.facts.content) return undefined;
  const [a, b] = [await store.read(left.facts), await store.read(right.facts)];
  return a && b && showContent(a, b);
}

function describeEntry({ facts, group, linkHeader }: FlatEntry): Record<string, string> {
  const { type, mode, uid, gid, xattrs, device } = facts.attributes;
  return {
    type,
    mode: mode.toString(8).padStart(4, "0"),
    owner: `${uid}:${gid}`,
    ...(facts.linkName !== "" && { "link target": facts.linkName }),
    ...(type === "file" && {
      size: String(facts.size),
      sha256: Buffer.from(facts.content, "latin1").toString("hex"),
    }),
    ...(xattrs !== "" && { xattrs }),
    ...(device !== "" && { device }),
    ...(group !== "" && { "hard link with": `/${group}` }),
    ...(linkHeader !== "" && { "link's own header": linkHeader }),
  };
}

/** Manifests and configs of both sides, where they differ. */
export async function documentEvidence(
  left: SideImage,
  right: SideImage,
  signal: AbortSignal,
): Promise<PlatformEvidence["documents"]> {
  const documents: { name: "manifest" | "config"; shown: PlatformEvidence["documents"][number]["shown"] }[] = [];
  for (const name of ["manifest", "config"] as const) {
    const text = async ({ reader, descriptor, image }: SideImage): Promise<string> => {
      const bytes = await reader.readDocument(name === "manifest" ? descriptor : image.manifest.config, signal);
      return JSON.stringify(JSON.parse(Buffer.from(bytes).toString("utf8")), null, 2);
    };
    const [a, b] = [await text(left), await text(right)];
    const shown = a === b ? undefined : showDocument(a, b);
    if (shown) documents.push({ name, shown });
  }
  return documents;
}
