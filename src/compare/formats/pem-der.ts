/** An element of DER (X.690): its first byte, and where its content stands. */
export interface DerElement {
  readonly tag: number;
  /** Of the element with its tag and length. */
  readonly bytes: Buffer;
  readonly content: Buffer;
}

/** The elements that stand one behind the other in `bytes`; nothing unless they fill it and each length is in its shortest form. */
export function readDer(bytes: Buffer): readonly DerElement[] | undefined {
  const elements: DerElement[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at] ?? 0;
    const first = bytes[at + 1] ?? 0x80;
    const count = first < 0x80 ? 0 : first & 0x7f;
    const start = at + 2 + count;
    // tags of more than a byte, lengths without an end and huge ones are in no certificate
    if ((tag & 0x1f) === 0x1f || first === 0x80 || count > 3 || start > bytes.length) return undefined;
    const length = count === 0 ? first : bytes.readUIntBE(at + 2, count);
    const isShortest = count === 0 || length >= (count === 1 ? 0x80 : 2 ** (8 * (count - 1)));
    const end = start + length;
    if (!isShortest || end > bytes.length) return undefined;
    elements.push({ tag, bytes: bytes.subarray(at, end), content: bytes.subarray(start, end) });
    at = end;
  }
  return elements;
}

/** The elements inside of one that has the `tag`; nothing when it has another. */
export function readDerInside(element: DerElement | undefined, tag: number): readonly DerElement[] | undefined {
  return element?.tag === tag ? readDer(element.content) : undefined;
}
