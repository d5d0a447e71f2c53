import pLimit from "p-limit";
import { annotationNames } from "../escrow/types.ts";
import type { FilesComponent } from "../escrow/write-capsule.ts";
import { messageOf, RefoundryError } from "../errors.ts";
import { runStage } from "../events.ts";
import type { Digest } from "../oci/digest.ts";
import type { Repository } from "../oci/repository.ts";
import type { Descriptor } from "../oci/types.ts";
import type { ToolchainSources } from "../recipe/toolchain-sources.ts";
import type { Factory } from "./types.ts";

/**
 * Which source packages of a toolchain's packages are fetched: all, those whose licence
 * obliges us to offer them or is not known, or none. What the escrow holds stays in.
 */
export type WantedSources = "all" | "copyleft" | "none";

/** A source package, or one file of it, that is not to be had. */
export interface MissingSource {
  readonly name: string;
  readonly version: string;
  /** Of the file, below a Debian mirror's root; absent where nothing pins the files. */
  readonly path?: string;
  readonly reason: string;
}

const mediaType = "application/vnd.debian.source-file";
const atOnce = 6;

/** Licences that let binaries go out without their source, in the words of SPDX. */
const free =
  /^(0BSD|AFL-[\d.]+|Apache-[\d.]+|Artistic-[\d.]+(-Perl)?|BSD-.*|BSL-1\.0|bzip2-.*|CC0-1\.0|curl|FSFAP|FSFUL|FSFULLR|FTL|HPND|ICU|IJG|ISC|Libpng|libtiff|MIT|MIT-0|NCSA|NTP|OFL-1\.1|OpenSSL|PostgreSQL|PSF-2\.0|Python-2\.0|SMLNJ|TCL|Unicode-.*|Unlicense|UPL-1\.0|Vim|W3C|WTFPL|X11|Zlib|zlib-acknowledgement|ZPL-2\.1)$/;

/**
 * Brings the source packages of a toolchain's packages into the store, six files at a time,
 * as far as they are to be had; what the escrow holds is not fetched again. Gives a component
 * of all that is held then, the same one for every release on that toolchain.
 */
export async function packageSourcesComponent(
  { toolchain, of, sources, wanted }: Toolchain,
  escrow: Repository,
  factory: Pick<Factory, "store" | "mirror" | "emit" | "signal">,
): Promise<{ readonly component?: FilesComponent; readonly missing: readonly MissingSource[] }> {
  const { store, mirror, emit, signal } = factory;
  return runStage(emit, { stage: "escrow", title: `sources of the packages of ${toolchain}` }, async () => {
    const isWanted = choose(sources, wanted);
    const limit = pLimit(atOnce);
    const distinct = [...new Map(sources.files.map((file) => [file.sha256, file])).values()];
    const missing: MissingSource[] = sources.sources.flatMap(({ name, version, missing: reason }) =>
      reason === undefined ? [] : [{ name, version, reason }],
    );
    let done = 0;
    let fetched = 0;
    const bring = async (file: (typeof distinct)[number]): Promise<Descriptor | undefined> => {
      const { path, size, source: name, version } = file;
      const digest: Digest = `sha256:${file.sha256}`;
      const isThere = (await store.blobs.has({ digest, size })) || (await escrow.hasBlob({ digest, size }, signal));
      if (!isThere && !isWanted(file)) return undefined;
      if (!isThere) {
        try {
          await mirror.fetchFile(file, signal);
          fetched += size;
        } catch (error) {
          if (!(error instanceof RefoundryError) || error.kind !== "infrastructure") throw error;
          missing.push({ name, version, path, reason: messageOf(error) });
          return undefined;
        }
      }
      done += 1;
      emit({ type: "stage-progress", stage: "escrow", doing: fileName(path), current: done, total: distinct.length });
      const annotations = {
        [annotationNames.title]: fileName(path),
        [annotationNames.path]: path,
        [annotationNames.packageName]: name,
        [annotationNames.packageVersion]: version,
      };
      return { mediaType, digest, size, annotations };
    };
    const brought = await Promise.all(distinct.map((file) => limit(() => bring(file))));
    const layers = brought.filter((layer) => layer !== undefined);
    const detail = `${layers.length} of ${distinct.length} files`;
    const component: FilesComponent = { kind: "package-sources", of, layers };
    return { value: { ...(layers.length > 0 && { component }), missing }, detail, reused: fetched === 0 };
  });
}

interface Toolchain {
  readonly toolchain: string;
  readonly of: string;
  readonly sources: ToolchainSources;
  readonly wanted: WantedSources;
}

function choose(
  { sources }: ToolchainSources,
  wanted: WantedSources,
): (file: ToolchainSources["files"][number]) => boolean {
  if (wanted !== "copyleft") return () => wanted === "all";
  const isFree = (licence: string): boolean =>
    licence.split(/[()\s]+/).every((word) => ["", "AND", "OR"].includes(word) || free.test(word));
  const permissive = new Set(
    sources.flatMap(({ name, version, licence }) =>
      licence !== undefined && isFree(licence) ? [`${name} ${version}`] : [],
    ),
  );
  return ({ source, version }) => !permissive.has(`${source} ${version}`);
}

function fileName(path: string): string {
  return path.split("/").at(-1) ?? path;
}
