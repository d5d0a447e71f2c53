import { type Dispatcher, request } from "undici";

const seconds = 30;

/**
 * Where a repository is now that its server redirects: forges do that for a while after it was
 * renamed or moved, and then give the old name to whoever asks. Undefined for one that is where
 * its address says, that no http server has, or that cannot be asked.
 */
export async function newAddressOf(
  url: string,
  dispatcher: Dispatcher,
  signal?: AbortSignal,
): Promise<string | undefined> {
  if (!/^https?:/i.test(url)) return undefined;
  const refs = `${url.replace(/\/+$/, "")}/info/refs?service=git-upload-pack`;
  try {
    const { statusCode, headers, body } = await request(refs, {
      dispatcher,
      headersTimeout: seconds * 1000,
      bodyTimeout: seconds * 1000,
      ...(signal && { signal }),
    });
    // a large repository names all its refs here, and none of them is wanted
    body.on("error", () => {}).destroy();
    const { location } = headers;
    if (![301, 302, 307, 308].includes(statusCode) || typeof location !== "string") return undefined;
    const target = URL.parse(location, refs);
    if (!target || !/^https?:$/.test(target.protocol) || !target.pathname.endsWith("/info/refs")) return undefined;
    target.pathname = target.pathname.slice(0, -"/info/refs".length);
    target.search = "";
    target.username = "";
    target.password = "";
    return isSame(target.href, url) ? undefined : target.href;
  } catch (error) {
    if (signal?.aborted) throw error;
    return undefined;
  }
}

/** With `.git` at the end and without, a forge's repository is the same. */
function isSame(a: string, b: string): boolean {
  const plain = (url: string): string =>
    url
      .replace(/\/+$/, "")
      .replace(/\.git$/, "")
      .toLowerCase();
  return plain(a) === plain(b);
}
