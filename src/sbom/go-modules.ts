import { isElf, parseElf } from "../compare/formats/elf.ts";
import { goPurl } from "./purl.ts";
import { cleanText } from "./text.ts";
import type { BillPackage } from "./types.ts";

/** What a Go program says of the modules it was built from (debug/buildinfo). */
export interface GoBuildInfo {
  /** As in `go1.26.1`. */
  readonly goVersion: string;
  readonly modules: readonly { readonly path: string; readonly version: string }[];
}

const magic = Buffer.from("\xff Go buildinf:", "latin1");
const alignment = 16;
/** The strings stand behind a header of this size when the flag says so, as they do since Go 1.18. */
const headerSize = 32;
const inlineStrings = 2;
/** The linker puts as many bytes before and behind the module information. */
const frameSize = 16;
const maxCandidates = 64;
const maxTextBytes = 4 * 1024 ** 2;
const maxModules = 20_000;
const maxFieldLength = 512;

/**
 * Reads the build information of a Go program. Nothing for other files, programs of Go
 * before 1.18, and what is damaged.
 */
export function readGoBuildInfo(bytes: Buffer): GoBuildInfo | undefined {
  if (!isElf(bytes)) return undefined;
  const section = parseElf(bytes)?.sections.find(({ name }) => name === ".go.buildinfo");
  const named = section && infoAt(bytes, section.offset);
  if (named) return named;
  let at = bytes.indexOf(magic);
  for (let tried = 0; at !== -1 && tried < maxCandidates; tried += 1) {
    const info = at % alignment === 0 ? infoAt(bytes, at) : undefined;
    if (info) return info;
    at = bytes.indexOf(magic, at + 1);
  }
  return undefined;
}

function infoAt(bytes: Buffer, at: number): GoBuildInfo | undefined {
  if (at < 0 || at + headerSize > bytes.length || !bytes.subarray(at, at + magic.length).equals(magic))
    return undefined;
  if (((bytes[at + magic.length + 1] ?? 0) & inlineStrings) === 0) return undefined;
  const version = stringAt(bytes, at + headerSize);
  const text = version && stringAt(bytes, version.end);
  if (!text || !/^(?:go|devel )\S/.test(version.bytes.toString("latin1"))) return undefined;
  const isFramed = text.bytes.length >= 2 * frameSize + 1 && text.bytes.at(-frameSize - 1) === 0x0a;
  const information = isFramed ? text.bytes.subarray(frameSize, -frameSize).toString("utf8") : "";
  const modules = modulesOf(information);
  return modules && { goVersion: cleanText(version.bytes.toString("utf8")), modules };
}

/** A string with its length before it as an unsigned varint. */
function stringAt(bytes: Buffer, at: number): { readonly bytes: Buffer; readonly end: number } | undefined {
  let length = 0;
  for (let index = 0; index < 4; index += 1) {
    const byte = bytes[at + index];
    if (byte === undefined) return undefined;
    length += (byte & 0x7f) * 2 ** (7 * index);
    if (byte >= 0x80) continue;
    const start = at + index + 1;
    if (length > maxTextBytes || start + length > bytes.length) return undefined;
    return { bytes: bytes.subarray(start, start + length), end: start + length };
  }
  return undefined;
}

/** Lines of `mod`, `dep` and `=>`, which replaces the module before it; nothing when they are too many or too long. */
function modulesOf(text: string): GoBuildInfo["modules"] | undefined {
  const modules: { path: string; version: string }[] = [];
  for (const line of text.split("\n")) {
    const [kind, path = "", version = ""] = line.split("\t").map(cleanText);
    if (kind !== "mod" && kind !== "dep" && kind !== "=>") continue;
    if (path === "" || path.length > maxFieldLength || version.length > maxFieldLength) return undefined;
    // a replacement without a version is a folder of whoever built the program
    if (kind !== "=>") modules.push({ path, version: version === "(devel)" ? "" : version });
    else if (version !== "") modules.splice(-1, 1, { path, version });
    if (modules.length > maxModules) return undefined;
  }
  return modules;
}

/** The modules of programs, each once with the paths of the programs that have it; Go's own library is `stdlib`. */
export function goPackages(programs: ReadonlyMap<string, GoBuildInfo>): BillPackage[] {
  const packages = new Map<string, { readonly name: string; readonly version: string; readonly programs: string[] }>();
  for (const [program, { goVersion, modules }] of programs) {
    const library = /^go(\d[^\s]*)/.exec(goVersion)?.[1];
    const all = library === undefined ? modules : [{ path: "stdlib", version: library }, ...modules];
    for (const { path, version } of all) {
      const key = `${path}\n${version}`;
      const known = packages.get(key) ?? { name: path, version, programs: [] };
      if (known.programs.at(-1) !== program) known.programs.push(program);
      packages.set(key, known);
    }
  }
  return [...packages.values()].map(({ name, version, programs: found }) => ({
    type: "golang",
    name,
    version,
    architecture: "",
    purl: goPurl(name, version),
    programs: found.toSorted(),
  }));
}
