import { usageError } from "../errors.ts";

/** What a Debian source control file (.dsc, deb-src-control(5)) says. */
export interface SourceControl {
  readonly format: string;
  readonly name: string;
  readonly version: string;
  /** Files by name, without the .dsc itself. */
  readonly files: ReadonlyMap<string, { readonly size: number; readonly sha256: string }>;
}

/** Reads a .dsc, clear-signed or not; its signature is not what is trusted, its pinned digest is. */
export function parseSourceControl(text: string, file: string): SourceControl {
  const body = text.startsWith("-----BEGIN PGP SIGNED MESSAGE-----") ? signedPart(text) : text;
  const fields = new Map<string, string>();
  let field = "";
  for (const line of body.split("\n")) {
    const start = /^([A-Za-z0-9-]+):\s*(.*)$/.exec(line);
    if (start) field = (start[1] ?? "").toLowerCase();
    if (start) fields.set(field, start[2] ?? "");
    else if (/^[ \t]/.test(line) && field !== "") fields.set(field, `${fields.get(field)}\n${line.trim()}`);
  }
  const files = new Map<string, { size: number; sha256: string }>();
  for (const line of (fields.get("checksums-sha256") ?? "").split("\n").filter(Boolean)) {
    const parts = /^([0-9a-f]{64}) (\d+) ([A-Za-z0-9.+_~:-]+)$/.exec(line);
    if (!parts) throw usageError(`${file} has a checksum line that cannot be read: ${line.slice(0, 200)}`);
    files.set(parts[3] ?? "", { sha256: parts[1] ?? "", size: Number(parts[2]) });
  }
  const required = (name: string): string => {
    const value = fields.get(name);
    if (value === undefined || value === "")
      throw usageError(`${file} has no ${name} field: it is no source control file`);
    return value;
  };
  if (files.size === 0) throw usageError(`${file} lists no files with sha256`);
  return { format: required("format"), name: required("source"), version: required("version"), files };
}

function signedPart(text: string): string {
  const start = text.indexOf("\n\n");
  const end = text.indexOf("\n-----BEGIN PGP SIGNATURE-----");
  return text.slice(start + 2, end === -1 ? undefined : end).replace(/^- /gm, "");
}
