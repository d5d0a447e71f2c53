/** Fields of a tar header that a test wants to be otherwise. */
export interface RawHeaderFields {
  readonly name: string;
  readonly type?: string;
  readonly mode?: number;
  readonly size?: number;
  readonly linkName?: string;
  readonly prefix?: string;
  /** Magic and version, eight bytes. */
  readonly magic?: string;
}

/** One header block as given, right or wrong, with a right checksum. */
export function rawHeader(fields: RawHeaderFields): Buffer {
  const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, "0")}\0`;
  const bytes = Buffer.alloc(512);
  bytes.write(fields.name, 0, 100);
  bytes.write(octal(fields.mode ?? 0o644, 8), 100);
  for (const at of [108, 116, 329, 337]) bytes.write(octal(0, 8), at);
  bytes.write(octal(fields.size ?? 0, 12), 124);
  bytes.write(octal(0, 12), 136);
  bytes.write(fields.type ?? "0", 156);
  bytes.write(fields.linkName ?? "", 157, 100);
  bytes.write(fields.magic ?? "ustar\u000000", 257);
  bytes.write(fields.prefix ?? "", 345, 155);
  return checksummed(bytes);
}

/** Puts the right checksum into a header block, in place; old writers summed signed bytes. */
export function checksummed(header: Buffer, kind: "unsigned" | "signed" = "unsigned"): Buffer {
  header.fill(" ", 148, 156);
  const sum = header.reduce((total, byte) => total + (kind === "signed" && byte > 127 ? byte - 256 : byte), 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}

/** Content filled up to whole blocks. */
export function padded(content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

/** A pax extended header (`x`) or global one (`g`) with its records. */
export function paxHeader(records: Readonly<Record<string, string>>, type: "x" | "g" = "x"): Buffer {
  const lines = Object.entries(records).map(([key, value]) => {
    const rest = ` ${key}=${value}\n`;
    let length = rest.length;
    while (length !== rest.length + String(length).length) length = rest.length + String(length).length;
    return `${length}${rest}`;
  });
  const data = Buffer.from(lines.toSorted().join(""));
  return Buffer.concat([rawHeader({ name: "pax", type, size: data.length }), padded(data)]);
}
