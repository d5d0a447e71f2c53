import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { errorCode, usageError } from "../errors.ts";

const archiveKeyring = "debian-archive-keyring";

/**
 * The root of the Debian mirror that this machine's apt uses: the first http(s) source
 * that is signed by Debian's archive key or serves `main`, in deb822 or one-line form
 * (sources.list(5)). Throws a usage error when there is none.
 */
export async function findMachineMirror(aptFolder = "/etc/apt"): Promise<string> {
  const candidates = [...(await readSources(aptFolder))].filter(isDebianArchive);
  const first = candidates[0];
  if (first) return first.uri.replace(/\/+$/, "");
  throw usageError("no Debian mirror is known: this machine's apt has none", {
    hint: "set REFOUNDRY_DEBIAN_MIRROR=https://HOST/debian to a Debian mirror near you",
  });
}

/** One apt source. */
export interface AptSource {
  readonly uri: string;
  readonly suites: readonly string[];
  readonly components: readonly string[];
  readonly signedBy: string;
}

function isDebianArchive(source: AptSource): boolean {
  if (!/^https?:\/\//.test(source.uri) || !source.components.includes("main")) return false;
  if (source.suites.some((suite) => suite.includes("security"))) return false;
  return source.signedBy.includes(archiveKeyring) || /\/debian\/?$/.test(source.uri);
}

async function readSources(aptFolder: string): Promise<AptSource[]> {
  const parts = (await readdir(join(aptFolder, "sources.list.d")).catch(() => [])).toSorted();
  const files = [join(aptFolder, "sources.list"), ...parts.map((name) => join(aptFolder, "sources.list.d", name))];
  const found: AptSource[] = [];
  for (const file of files) {
    const text = await readFile(file, "utf8").catch((error: unknown) => {
      if (errorCode(error) === "ENOENT" || errorCode(error) === "EACCES") return "";
      throw error;
    });
    if (file.endsWith(".sources")) found.push(...parseDeb822Sources(text));
    else if (file.endsWith(".list")) found.push(...parseOneLineSources(text));
  }
  return found;
}

/** Sources of a deb822 `.sources` file. */
function parseDeb822Sources(text: string): AptSource[] {
  const sources: AptSource[] = [];
  for (const stanza of text.split(/\n\s*\n/)) {
    const fields = new Map<string, string>();
    for (const line of stanza.split("\n")) {
      const field = /^([A-Za-z-]+):\s*(.*)$/.exec(line);
      if (field?.[1]) fields.set(field[1].toLowerCase(), (field[2] ?? "").trim());
    }
    const words = (name: string): string[] => (fields.get(name) ?? "").split(/\s+/).filter(Boolean);
    if (!words("types").includes("deb") || fields.get("enabled")?.toLowerCase() === "no") continue;
    for (const uri of words("uris")) {
      sources.push({
        uri,
        suites: words("suites"),
        components: words("components"),
        signedBy: fields.get("signed-by") ?? "",
      });
    }
  }
  return sources;
}

/** Sources of a one-line `.list` file. */
function parseOneLineSources(text: string): AptSource[] {
  const sources: AptSource[] = [];
  for (const line of text.split("\n")) {
    const parts = /^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*(.*)$/.exec(line.replace(/#.*/, "").trim());
    if (!parts) continue;
    const [, options = "", uri = "", suite = "", components = ""] = parts;
    sources.push({
      uri,
      suites: [suite],
      components: components.split(/\s+/).filter(Boolean),
      signedBy: /signed-by=(\S+)/.exec(options)?.[1] ?? "",
    });
  }
  return sources;
}
