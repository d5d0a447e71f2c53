import { type Level, levels } from "../../src/compare/types.ts";
import type { TarInput } from "../../src/oci/tar/write.ts";

/** An image that a test changes: layers of entries, and its config. */
export interface Specimen {
  readonly layers: readonly (readonly TarInput[])[];
  readonly config: Readonly<Record<string, unknown>>;
  readonly top: Readonly<Record<string, unknown>>;
  readonly compression: "none" | "gzip" | "zstd";
  readonly annotations: Readonly<Record<string, string>>;
}

/** A change, and the strongest level that the changed image may be equal at. */
export interface Change {
  readonly name: string;
  readonly level: Level;
  /** Changes the specimen by a number that decides where; nothing when there is no such place. */
  apply(specimen: Specimen, seed: number): Specimen | undefined;
}

/** The weaker of two levels. */
export function weaker(a: Level, b: Level): Level {
  return levels.indexOf(a) >= levels.indexOf(b) ? a : b;
}

/** Whether a level is stronger than another. */
export function isStronger(a: Level, b: Level): boolean {
  return levels.indexOf(a) < levels.indexOf(b);
}

type FileInput = Extract<TarInput, { readonly type: "file" }>;

function pick<T>(list: readonly T[], seed: number): T | undefined {
  return list[seed % Math.max(1, list.length)];
}

/** Changes one entry of those that `is` names. */
function changeEntry(
  specimen: Specimen,
  seed: number,
  is: (entry: TarInput) => boolean,
  change: (entry: TarInput) => TarInput | undefined,
): Specimen | undefined {
  const chosen = pick(specimen.layers.flat().filter(is), seed);
  const changed = chosen && change(chosen);
  if (!changed) return undefined;
  return {
    ...specimen,
    layers: specimen.layers.map((layer) => layer.map((entry) => (entry === chosen ? changed : entry))),
  };
}

function bytesOf(file: FileInput): Buffer {
  if (!(file.content instanceof Uint8Array)) throw new Error("specimens hold their contents");
  return Buffer.from(file.content);
}

function withContent(file: FileInput, content: Buffer): FileInput {
  return { ...file, content, size: content.length };
}

const isFile = (entry: TarInput): entry is FileInput => entry.type === "file" && entry.size > 0;
const isElf = (entry: TarInput): boolean =>
  isFile(entry) && bytesOf(entry).subarray(0, 5).equals(Buffer.from("\x7fELF\x02", "latin1"));

/** A place in the executable segment of a 64-bit ELF file, behind its headers. */
function codeOffset(bytes: Buffer, seed: number): number | undefined {
  const [start, count] = [Number(bytes.readBigUInt64LE(32)), bytes.readUInt16LE(56)];
  for (let index = 0; index < count; index += 1) {
    const at = start + index * bytes.readUInt16LE(54);
    const isCode = bytes.readUInt32LE(at) === 1 && (bytes.readUInt32LE(at + 4) & 1) === 1;
    const [offset, size] = [Number(bytes.readBigUInt64LE(at + 8)), Number(bytes.readBigUInt64LE(at + 32))];
    if (isCode && offset > 0) return offset + (seed % size);
  }
  return undefined;
}

const configEdits: readonly Readonly<Record<string, unknown>>[] = [
  { Healthcheck: { Test: ["CMD", "true"] } },
  { OnBuild: ["RUN true"] },
  { Shell: ["/bin/other"] },
  { User: "1000" },
  { Entrypoint: ["/other"] },
  { Cmd: ["other"] },
  { Env: ["PATH=/elsewhere"] },
  { WorkingDir: "/elsewhere" },
  { StopSignal: "SIGKILL" },
  { Volumes: { "/data": {} } },
  { ExposedPorts: { "1/tcp": {} } },
  { Labels: { a: "b" } },
  { NobodyHasHeardOfThis: 1 },
  { ArgsEscaped: true, Tty: true },
];

/** Changes after which an image is another one, whatever else happens to it. */
export const mutations: readonly Change[] = [
  {
    name: "setuid",
    level: "different",
    apply: (specimen, seed) =>
      changeEntry(specimen, seed, isFile, (entry) => ({ ...entry, mode: entry.mode ^ 0o4000 })),
  },
  {
    name: "permission",
    level: "different",
    apply: (specimen, seed) =>
      changeEntry(
        specimen,
        seed,
        (entry) => entry.type !== "symlink",
        (entry) => ({ ...entry, mode: entry.mode ^ (1 << (seed % 9)) }),
      ),
  },
  {
    name: "one bit of code",
    level: "different",
    apply: (specimen, seed) =>
      changeEntry(specimen, seed, isElf, (entry) => {
        if (entry.type !== "file") return undefined;
        const bytes = bytesOf(entry);
        const at = codeOffset(bytes, seed);
        if (at === undefined) return undefined;
        bytes[at] = (bytes[at] ?? 0) ^ (1 << (seed % 8));
        return withContent(entry, bytes);
      }),
  },
  {
    name: "a byte more",
    level: "different",
    apply: (specimen, seed) =>
      changeEntry(specimen, seed, isFile, (entry) =>
        entry.type === "file"
          ? withContent(entry, Buffer.concat([bytesOf(entry), Buffer.from([seed % 256])]))
          : undefined,
      ),
  },
  {
    name: "file behind a whiteout",
    level: "different",
    apply(specimen, seed) {
      const chosen = pick(specimen.layers.flat().filter(isFile), seed);
      if (!chosen) return undefined;
      const path = chosen.path.replace(/[^/]+$/, ".wh.$&");
      const whiteout: TarInput = { ...chosen, path, size: 0, content: new Uint8Array(0) };
      return { ...specimen, layers: [...specimen.layers, [whiteout]] };
    },
  },
  {
    name: "link elsewhere",
    level: "different",
    apply: (specimen, seed) =>
      changeEntry(
        specimen,
        seed,
        (entry) => entry.type === "symlink",
        (entry) =>
          entry.type === "symlink"
            ? { ...entry, linkName: seed % 2 === 0 ? `/${entry.linkName}` : `${entry.linkName}x` }
            : undefined,
      ),
  },
  {
    name: "owner",
    level: "different",
    apply: (specimen, seed) =>
      changeEntry(
        specimen,
        seed,
        () => true,
        (entry) => (seed % 2 === 0 ? { ...entry, uid: entry.uid + 1 } : { ...entry, gid: entry.gid + 1 }),
      ),
  },
  {
    name: "capability",
    level: "different",
    apply: (specimen, seed) =>
      changeEntry(specimen, seed, isFile, (entry) => ({
        ...entry,
        xattrs: new Map([["security.capability", Buffer.from([1, 0, 0, 2, seed % 256])]]),
      })),
  },
  {
    name: "file gone",
    level: "different",
    apply(specimen, seed) {
      const chosen = pick(specimen.layers.flat().filter(isFile), seed);
      if (!chosen) return undefined;
      return { ...specimen, layers: specimen.layers.map((layer) => layer.filter((entry) => entry !== chosen)) };
    },
  },
  {
    name: "file more",
    level: "different",
    apply(specimen, seed) {
      const folder = pick(["usr/bin", "etc", "var/log/apt", "tmp", "root/.cache", "var/lib/dpkg"], seed) ?? "";
      const content = Buffer.from(`#!/bin/sh\necho ${seed}\n`);
      const more: TarInput = {
        type: "file",
        path: `${folder}/more-${seed}`,
        mode: 0o755,
        uid: 0,
        gid: 0,
        mtime: 0,
        size: content.length,
        content,
      };
      return { ...specimen, layers: [...specimen.layers, [more]] };
    },
  },
  {
    name: "config key",
    level: "different",
    apply: (specimen, seed) => ({ ...specimen, config: { ...specimen.config, ...pick(configEdits, seed) } }),
  },
  {
    name: "architecture",
    level: "different",
    apply: (specimen) => ({ ...specimen, top: { ...specimen.top, architecture: "riscv64" } }),
  },
];

/** Changes after which an image is still equal, and at which level if nothing else happens. */
export const equivalences: readonly Change[] = [
  {
    name: "compressed otherwise",
    level: "config",
    apply: (specimen) => ({ ...specimen, compression: specimen.compression === "gzip" ? "zstd" : "gzip" }),
  },
  {
    name: "annotated",
    level: "config",
    apply: (specimen, seed) => ({ ...specimen, annotations: { ...specimen.annotations, a: String(seed) } }),
  },
  {
    name: "made at another time",
    level: "layers",
    apply: (specimen, seed) => ({
      ...specimen,
      top: { ...specimen.top, created: new Date(seed * 1000).toISOString(), history: [{ created_by: `step ${seed}` }] },
    }),
  },
  {
    name: "variables in another order",
    level: "layers",
    apply: (specimen) => {
      const env = specimen.config["Env"];
      return Array.isArray(env) && env.length > 1
        ? { ...specimen, config: { ...specimen.config, Env: env.toReversed() } }
        : undefined;
    },
  },
  {
    name: "other times",
    level: "entries",
    apply: (specimen, seed) => ({
      ...specimen,
      layers: specimen.layers.map((layer) =>
        layer.map((entry) => ({ ...entry, mtime: entry.mtime + 1 + (seed % 1000) })),
      ),
    }),
  },
  {
    name: "another order",
    level: "entries",
    apply: (specimen) => ({ ...specimen, layers: specimen.layers.map((layer) => layer.toReversed()) }),
  },
  {
    name: "split otherwise",
    level: "filesystem",
    apply(specimen, seed) {
      const [first = [], ...rest] = specimen.layers;
      const at = 1 + (seed % Math.max(1, first.length - 1));
      return first.length < 2 ? undefined : { ...specimen, layers: [first.slice(0, at), first.slice(at), ...rest] };
    },
  },
  {
    name: "a file that a later layer takes away",
    level: "filesystem",
    apply(specimen, seed) {
      const file: TarInput = {
        type: "file",
        path: `gone-${seed}`,
        mode: 0o4755,
        uid: 0,
        gid: 0,
        mtime: 0,
        size: 0,
        content: new Uint8Array(0),
      };
      return {
        ...specimen,
        layers: [...specimen.layers, [file], [{ ...file, path: `.wh.${file.path}` }]],
      };
    },
  },
];
