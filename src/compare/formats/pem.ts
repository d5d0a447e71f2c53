/** What stands between the lines that begin and end it. */
export interface PemBlock {
  readonly label: string;
  readonly bytes: Buffer;
}

const begin = /^-----BEGIN ([A-Z][A-Z0-9 ]{0,63})-----$/;
const alphabet = /^[A-Za-z0-9+/]+={0,2}$/;
/** Characters in a line: RFC 7468, section 2; OpenSSH's own keys have 70. */
export type PemWidth = 64 | 70;

/**
 * Reads a file of PEM blocks in the strict form of RFC 7468: full lines but for the last, no
 * headers, no white space at either end of a line, and base64 that encodes in no other
 * way. Nothing for another form, or when a line outside of the blocks is not as `isOutside` wants it.
 */
export function readPem(
  lines: Iterable<string>,
  width: PemWidth,
  isOutside: (line: string) => boolean,
): readonly PemBlock[] | undefined {
  const blocks: PemBlock[] = [];
  let label: string | undefined;
  let body: string[] = [];
  for (const line of lines) {
    if (label === undefined) {
      label = begin.exec(line)?.[1];
      body = [];
      if (label === undefined && !isOutside(line)) return undefined;
    } else if (line === `-----END ${label}-----`) {
      const bytes = decode(body, width);
      if (!bytes) return undefined;
      blocks.push({ label, bytes });
      label = undefined;
    } else body.push(line);
  }
  return label === undefined ? blocks : undefined;
}

/** The block as PEM, in lines of 64 characters. */
export function writePem({ label, bytes }: PemBlock): string {
  const lines = bytes.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

function decode(lines: readonly string[], width: PemWidth): Buffer | undefined {
  const last = lines.at(-1);
  if (last === undefined || last.length > width || lines.slice(0, -1).some((line) => line.length !== width))
    return undefined;
  const text = lines.join("");
  const bytes = alphabet.test(text) ? Buffer.from(text, "base64") : undefined;
  return bytes?.toString("base64") === text ? bytes : undefined;
}
