import { setTimeout as sleep } from "node:timers/promises";
import { interrupted } from "../../errors.ts";
import type { Content } from "../repository.ts";
import { type Access, pushRequest } from "./access.ts";
import { discard, headerOf } from "./body.ts";
import { type Answer, resolveLocation, send } from "./exchange.ts";
import { checkStoredDigest, TransientFailure } from "./failures.ts";
import type { Source } from "./source.ts";

const maxBreaks = 50;
// what registries say that know no PATCH, not here, or not from there on
const refusals: readonly number[] = [400, 404, 405, 409, 415, 416, 501];

interface Upload {
  readonly location: URL;
  /** How many bytes the registry has. */
  readonly offset: number;
}

/**
 * Sends a blob in one PATCH and ends it with a PUT (distribution-spec, end-5 and end-6).
 * When the PATCH breaks off, asks how far the registry came (end-13) and goes on there.
 * Gives false where the registry does not take blobs like this. Throws a
 * {@link TransientFailure} when all has to begin again.
 *
 * Cut into several requests, an upload would be no safer: registries either keep what
 * arrived of a request, or drop the whole upload when one breaks off.
 */
export async function sendResumably(access: Access, content: Content, session: URL, source: Source): Promise<boolean> {
  const { policy, signal } = access;
  let upload: Upload = { location: session, offset: 0 };
  let withoutProgress = 0;
  for (let breaks = 0; upload.offset < content.size; breaks++) {
    const before = upload.offset;
    let after: Upload | "refused" | undefined;
    let failure: unknown;
    try {
      after = await patch(access, content, upload, source);
    } catch (error) {
      if (!(error instanceof TransientFailure) || breaks === maxBreaks) throw error;
      failure = error;
      await pause(Math.max((error.retryAfter ?? 0) * 1000, policy.firstDelay * 2 ** Math.min(withoutProgress, 4)));
      after = await askProgress(access, content, upload.location);
    }
    if (after === "refused") return false;
    withoutProgress = after !== undefined && after.offset > before ? 0 : withoutProgress + 1;
    // an upload that is gone, or of which nothing is there, is best begun anew
    if (after === undefined || after.offset === 0 || withoutProgress > policy.retries) {
      if (failure instanceof TransientFailure) throw failure;
      return false;
    }
    upload = after;
  }
  return finish(access, content, upload.location);

  async function pause(milliseconds: number): Promise<void> {
    await sleep(Math.min(milliseconds, policy.longestWait * 1000), undefined, signal && { signal }).catch(() => {
      throw interrupted();
    });
  }
}

async function patch(
  access: Access,
  { digest, size }: Content,
  { location, offset }: Upload,
  source: Source,
): Promise<Upload | "refused"> {
  const request = pushRequest(access, "", `blob ${digest}`);
  const sending = send(access.connection, {
    ...request,
    method: "PATCH",
    url: location,
    accept: [202, ...refusals],
    headers: {
      "content-type": "application/octet-stream",
      "content-length": String(size - offset),
      // not with the whole: some registries take a range for a chunk, and want chunks to be small
      ...(offset > 0 && { "content-range": `${offset}-${size - 1}` }),
    },
    body: () => source.from(offset),
    isCommit: true,
  });
  const answer = await source.blamed(sending);
  await discard(answer.body);
  if (answer.status !== 202) return "refused";
  return { location: nextLocation(answer, location, request.target), offset: offsetOf(answer) ?? size };
}

/** How far an upload came; undefined when the registry knows nothing of it any more. */
async function askProgress(access: Access, { digest, size }: Content, location: URL): Promise<Upload | undefined> {
  const request = pushRequest(access, "", `blob ${digest}`);
  try {
    const answer = await send(access.connection, { ...request, method: "GET", url: location, accept: [204] });
    await discard(answer.body);
    const offset = offsetOf(answer);
    if (offset === undefined || offset > size) return undefined;
    return { location: nextLocation(answer, location, request.target), offset };
  } catch {
    // whatever is wrong, the next attempt meets it too
    if (access.signal?.aborted) throw interrupted();
    return undefined;
  }
}

async function finish(access: Access, { digest }: Content, location: URL): Promise<boolean> {
  const request = pushRequest(access, "", `blob ${digest}`);
  const answer = await send(access.connection, {
    ...request,
    method: "PUT",
    url: withDigest(location, digest),
    accept: [201, 400, 416],
    headers: { "content-length": "0" },
    isCommit: true,
  });
  await discard(answer.body);
  // its bytes were right when we sent them, so the registry put them together wrongly
  if (answer.status !== 201) return false;
  checkStoredDigest(answer.headers, digest, request.target);
  return true;
}

/** The address that ends an upload; it may have a query of its own, which is kept as it is. */
export function withDigest(session: URL, digest: string): URL {
  const url = new URL(session);
  url.search = `${url.search === "" ? "?" : `${url.search}&`}digest=${encodeURIComponent(digest)}`;
  return url;
}

function nextLocation({ headers }: Answer, before: URL, target: Parameters<typeof resolveLocation>[2]): URL {
  const location = headerOf(headers, "location");
  return location === undefined ? before : resolveLocation(location, before, target);
}

/** Bytes that a Range header says are there: `0-N`, with both ends, `0-0` where there are none. */
function offsetOf({ headers }: Answer): number | undefined {
  const last = /^(?:bytes=)?0-([0-9]{1,15})$/.exec(headerOf(headers, "range")?.trim() ?? "")?.[1];
  if (last === undefined) return undefined;
  return last === "0" ? 0 : Number(last) + 1;
}
