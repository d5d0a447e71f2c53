const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const escapeLike = /\\x[89a-f][0-9a-f]/;

/**
 * Bytes as text, each byte string as another text: UTF-8 as it is, else every byte that
 * is not ASCII as `\xNN` and a backslash as `\\`. UTF-8 that looks like such an escape
 * has its backslashes doubled too.
 */
export function losslessText(bytes: Uint8Array): string {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    return Buffer.from(bytes)
      .toString("latin1")
      .replace(/[\\\x80-\xff]/g, (char) => (char === "\\" ? "\\\\" : `\\x${char.charCodeAt(0).toString(16)}`));
  }
  return escapeLike.test(text) ? text.replaceAll("\\", "\\\\") : text;
}
