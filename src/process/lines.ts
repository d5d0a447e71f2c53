const maxLineBytes = 1024 * 1024;
const newline = 0x0a;

/**
 * Splits a byte stream into lines at `\n`, decoded as UTF-8. A line longer than 1 MiB
 * is given in pieces, so that a program that never ends its line cannot fill memory.
 */
export async function* splitLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  const flush = (): string => {
    const text = Buffer.concat(pending).toString("utf8");
    pending = [];
    pendingBytes = 0;
    return text;
  };
  for await (const chunk of chunks) {
    let rest = chunk;
    for (let end = rest.indexOf(newline); end !== -1; end = rest.indexOf(newline)) {
      pending.push(rest.subarray(0, end));
      yield flush();
      rest = rest.subarray(end + 1);
    }
    if (rest.length === 0) continue;
    pending.push(rest);
    pendingBytes += rest.length;
    if (pendingBytes > maxLineBytes) yield flush();
  }
  if (pendingBytes > 0) yield flush();
}
