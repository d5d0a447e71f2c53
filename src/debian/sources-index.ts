import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { PinnedFile } from "./mirror.ts";

/** A source package by its name and full version. */
export interface SourceIdentity {
  readonly name: string;
  readonly version: string;
}

/** What source packages are told apart by. */
export function sourceKey({ name, version }: SourceIdentity): string {
  return `${name} ${version}`;
}

/**
 * The files of source packages, by {@link sourceKey}, as the Sources indexes in apt's lists
 * folder have them, which apt checked against the signed Release files. Those that no index
 * has are left out.
 */
export async function findInSourcesIndexes(
  listsFolder: string,
  wanted: readonly SourceIdentity[],
): Promise<Map<string, readonly PinnedFile[]>> {
  const keys = new Set(wanted.map(sourceKey));
  const found = new Map<string, readonly PinnedFile[]>();
  for (const name of (await readdir(listsFolder)).toSorted()) {
    if (!name.endsWith("_Sources")) continue;
    const lines = createInterface({ input: createReadStream(join(listsFolder, name)), crlfDelay: Infinity });
    for await (const { fields, sha256 } of readStanzas(lines)) {
      const key = sourceKey({ name: fields.get("package") ?? "", version: fields.get("version") ?? "" });
      if (!keys.has(key) || found.has(key)) continue;
      const directory = fields.get("directory") ?? "";
      const files = sha256.flatMap((line): PinnedFile[] => {
        const [, digest = "", size = "", file = ""] = /^([0-9a-f]{64}) (\d+) ([^/\s]+)$/.exec(line) ?? [];
        return digest === "" ? [] : [{ path: `${directory}/${file}`, size: Number(size), sha256: digest }];
      });
      if (files.some(({ path }) => path.endsWith(".dsc"))) found.set(key, files);
    }
  }
  return found;
}

interface SourceStanza {
  readonly fields: ReadonlyMap<string, string>;
  /** Lines of `Checksums-Sha256`. */
  readonly sha256: readonly string[];
}

/** Paragraphs of an index (deb-src-control(5)) one by one: it has tens of thousands of them. */
async function* readStanzas(lines: AsyncIterable<string>): AsyncGenerator<SourceStanza> {
  let fields = new Map<string, string>();
  let sha256: string[] = [];
  let field = "";
  for await (const line of lines) {
    if (line === "") {
      if (fields.size > 0) yield { fields, sha256 };
      fields = new Map();
      sha256 = [];
    } else if (line.startsWith(" ")) {
      if (field === "checksums-sha256") sha256.push(line.trim());
    } else {
      const colon = line.indexOf(":");
      field = line.slice(0, colon).toLowerCase();
      fields.set(field, line.slice(colon + 1).trim());
    }
  }
  if (fields.size > 0) yield { fields, sha256 };
}
