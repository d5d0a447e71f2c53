import { readGoBuildInfo } from "../sbom/go-modules.ts";
import type { GoProgram } from "./types.ts";
import { shown } from "./text.ts";

const maxSettings = 64;
const maxBlockBytes = 256 * 1024;

/**
 * What a Go program says of how it was built (debug/buildinfo): its main module, the
 * package of `main` and its build settings. Nothing for other files.
 */
export function readGoProgram(path: string, bytes: Buffer): GoProgram | undefined {
  const info = readGoBuildInfo(bytes);
  if (!info) return undefined;
  const [main] = info.modules;
  const text = informationOf(bytes);
  const settings = new Map<string, string>();
  for (const [, name = "", value = ""] of text.matchAll(/^build\t([^=\n]{1,64})=([^\n]*)$/gm)) {
    if (settings.size >= maxSettings) break;
    settings.set(shown(name, 64), shown(value.replace(/^"(.*)"$/, "$1"), 512));
  }
  const mainPackage = /^path\t(\S{1,256})$/m.exec(text)?.[1];
  return {
    path,
    goVersion: info.goVersion,
    module: main?.path ?? "",
    version: main?.version ?? "",
    ...(mainPackage !== undefined && { mainPackage: shown(mainPackage) }),
    settings,
  };
}

/** The text of the module information, which the linker writes once between two frames. */
function informationOf(bytes: Buffer): string {
  const at = bytes.indexOf("\nbuild\t");
  if (at === -1) return "";
  const start = bytes.lastIndexOf("path\t", at);
  if (start === -1 || at - start > maxBlockBytes) return "";
  const block = bytes.subarray(start, Math.min(bytes.length, at + maxBlockBytes)).toString("latin1");
  // it ends with its last line; what follows is another thing
  const end = /\n(?!(?:path|mod|dep|=>|build)\t)/.exec(block)?.index ?? block.length;
  return Buffer.from(block.slice(0, end), "latin1").toString("utf8");
}
