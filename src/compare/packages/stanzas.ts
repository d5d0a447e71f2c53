/** A paragraph of a control file (deb-control(5)): its fields, and its text as written. */
export interface Stanza {
  readonly text: string;
  field(name: string): string | undefined;
}

const maxStanzas = 100_000;

/** Divides a control file into paragraphs; nothing when a line has no form that such files have. */
export function parseStanzas(bytes: Buffer): readonly Stanza[] | undefined {
  const stanzas: Stanza[] = [];
  let lines: string[] = [];
  const finish = (): void => {
    if (lines.length > 0) stanzas.push(stanzaOf(lines));
    lines = [];
  };
  for (const line of bytes.toString("latin1").split("\n")) {
    if (line === "") finish();
    else if (/^[!-9;-~]+:/.test(line) || (lines.length > 0 && /^[ \t]/.test(line))) lines.push(line);
    else return undefined;
    if (stanzas.length > maxStanzas) return undefined;
  }
  finish();
  return stanzas;
}

function stanzaOf(lines: readonly string[]): Stanza {
  const fields = new Map<string, string>();
  for (const line of lines) {
    if (/^[ \t]/.test(line)) continue;
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    if (!fields.has(name)) fields.set(name, line.slice(colon + 1).trim());
  }
  return { text: lines.join("\n"), field: (name) => fields.get(name.toLowerCase()) };
}
