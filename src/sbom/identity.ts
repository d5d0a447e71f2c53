import { createHash, hash } from "node:crypto";
import { canonicalJson } from "../json.ts";
import { platformSlug } from "../oci/platform.ts";
import { compareText } from "./text.ts";
import type { ImageBill } from "./types.ts";

const maxGaps = 100;
/** RFC 9562, 6.6: the name space of URLs. */
const urlSpace = Buffer.from("6ba7b8119dad11d180b400c04fd430c8", "hex");

/** The same bill with every list in one order and nothing twice, so that both formats come out byte for byte the same. */
export function orderBill(bill: ImageBill): ImageBill {
  const gaps = inOrder(bill.gaps, (gap) => gap);
  const { source, upstream } = bill;
  return {
    ...bill,
    packages: inOrder(bill.packages, ({ purl }) => purl),
    programs: inOrder(bill.programs, ({ path }) => path),
    gaps: gaps.length > maxGaps ? [...gaps.slice(0, maxGaps), `and ${gaps.length - maxGaps} more like these`] : gaps,
    source: source.debian
      ? { ...source, debian: { ...source.debian, files: inOrder(source.debian.files, ({ name }) => name) } }
      : source,
    toolchainPackages: inOrder(bill.toolchainPackages, ({ purl }) => purl),
    upstream: { ...upstream, files: inOrder(upstream.files, ({ name }) => name) },
  };
}

function inOrder<T>(items: readonly T[], keyOf: (item: T) => string): T[] {
  const byText = new Map(items.map((item) => [`${keyOf(item)}\n${canonicalJson(item)}`, item]));
  return [...byText].toSorted(([a], [b]) => compareText(a, b)).map(([, item]) => item);
}

/**
 * A URI of the document alone (SPDX 2.3, 6.5): from the image's digest and all that an
 * ordered bill says, since the same image can be made twice from other inputs. Nothing is
 * to be found there.
 */
export function documentNamespace(bill: ImageBill, creator: string): string {
  const { name, version, platform, digest } = bill.image;
  const said = hash("sha256", `${creator}\n${canonicalJson(bill)}`, "hex");
  const parts = [name, version, platformSlug(platform), digest.replace(":", "-"), said.slice(0, 16)];
  return `https://spdx.org/spdxdocs/refoundry-${parts.map((part) => encodeURIComponent(part)).join("-")}`;
}

/** The UUID (RFC 9562, version 5) of a URI. */
export function uuidOf(uri: string): string {
  const bytes = createHash("sha1").update(urlSpace).update(uri).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** The address of a repository that others may be sent to: no local path, and no credentials. */
export function publicRepository(origin: string): URL | undefined {
  const url = URL.canParse(origin) ? new URL(origin) : undefined;
  if (!url || !["https:", "http:", "ssh:", "git:"].includes(url.protocol) || url.hostname === "") return undefined;
  url.username = url.protocol === "ssh:" ? url.username : "";
  url.password = "";
  return url;
}
