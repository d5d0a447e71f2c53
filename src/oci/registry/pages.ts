import { infrastructureError } from "../../errors.ts";
import { maxDocumentBytes } from "../types.ts";
import { type Access, nameOf, type Request } from "./access.ts";
import { headerOf, readBytes } from "./body.ts";
import { type Answer, send, translate } from "./exchange.ts";
import { firstLine } from "./failures.ts";
import { retried } from "./retry.ts";

/** One page of a list that a registry gives in pages. */
export interface Page {
  readonly status: number;
  readonly headers: Answer["headers"];
  readonly bytes: Uint8Array;
}

const maxPages = 1000;
const maxListBytes = 64 * 1024 * 1024;

/**
 * The pages of a list, one after another as each one's Link header names the next
 * (distribution-spec, end-8b and end-12; RFC 8288). A page with another status than 200
 * is the last one. Throws an infrastructure error when the list leads to another server,
 * in circles, or is too long to be true.
 */
export async function* readPages(
  access: Access,
  request: Request,
  accept: readonly number[],
): AsyncGenerator<Page, void, undefined> {
  const { what } = request.target;
  const fail = (reason: string): Error => infrastructureError(`the ${what} of ${nameOf(access)} ${reason}`);
  const seen = new Set<string>();
  let total = 0;
  for (let url: URL | undefined = request.url; url; ) {
    if (seen.has(url.href)) throw fail("goes in circles: a page names one as the next that came before");
    seen.add(url.href);
    if (seen.size > maxPages) throw fail(`has more than ${maxPages} pages`);
    const page = await readPage(access, { ...request, url }, accept);
    total += page.bytes.length;
    if (total > maxListBytes) throw fail(`has more than ${maxListBytes} bytes`);
    yield page;
    if (page.status !== 200) return;
    url = nextPage(page.headers["link"], url, fail);
  }
}

async function readPage(access: Access, request: Request, accept: readonly number[]): Promise<Page> {
  const { connection, policy, signal } = access;
  const work = async (): Promise<Page> => {
    const { status, headers, body } = await send(connection, { ...request, method: "GET", accept });
    const bytes = await readBytes(body, maxDocumentBytes).catch((error: unknown) => {
      throw translate(error, request.target, request.url, signal);
    });
    if (bytes) return { status, headers, bytes };
    throw infrastructureError(
      `a page of the ${request.target.what} of ${nameOf(access)} has more than ${maxDocumentBytes} bytes`,
    );
  };
  return retried(work, policy, signal);
}

function nextPage(link: string | string[] | undefined, base: URL, fail: (reason: string) => Error): URL | undefined {
  for (const [, address = "", parameters = ""] of [link ?? []]
    .flat()
    .join(", ")
    .matchAll(/<([^<>]*)>((?:"[^"]*"|[^"<])*)/g)) {
    if (!/;\s*rel\s*=\s*(?:next\b|"(?:[^"]*\s)?next[\s"])/i.test(parameters)) continue;
    const url = URL.parse(address, base.href);
    // a proxy that ends TLS often makes registries believe that they are spoken to without
    if (url?.host === base.host) url.protocol = base.protocol;
    if (url?.origin !== base.origin)
      throw fail(`goes on at another server, where we do not follow: ${firstLine(url?.origin ?? address)}`);
    return url;
  }
  return undefined;
}

/** The JSON object that bytes are; undefined when they are something else. */
export function parseJsonObject(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
    const isObject = typeof parsed === "object" && parsed !== null && !Array.isArray(parsed);
    return isObject ? (parsed as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}

/** The media type that a Content-Type header names, without its parameters. */
export function contentTypeOf(headers: Answer["headers"]): string {
  return headerOf(headers, "content-type")?.split(";", 1)[0]?.trim().toLowerCase() ?? "";
}
