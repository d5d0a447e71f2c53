import type { Content } from "../repository.ts";
import { type Access, pullRequest, pushRequest } from "./access.ts";
import { discard, headerOf } from "./body.ts";
import { type Answer, resolveLocation, send } from "./exchange.ts";
import { checkStoredDigest } from "./failures.ts";
import { sendResumably, withDigest } from "./resume.ts";
import { retried } from "./retry.ts";
import { createSource, type Source } from "./source.ts";

/** Whether the repository has a blob of that digest and size (distribution-spec, end-2). */
export async function headBlob(
  access: Access,
  { digest, size }: Content,
  requestOf: typeof pullRequest,
): Promise<boolean> {
  const { status, headers, body } = await send(access.connection, {
    ...requestOf(access, `blobs/${digest}`, `blob ${digest}`),
    method: "HEAD",
    accept: [200, 404],
  });
  await discard(body);
  const length = headerOf(headers, "content-length");
  return status === 200 && (length === undefined || Number(length) === size);
}

/**
 * Uploads a blob, unless it is there already or can be mounted from another repository
 * (distribution-spec, end-11). Small ones go in one PUT (end-4a and end-6), large ones in
 * a PATCH that goes on where it broke off (end-5), where the registry can do that. `open`
 * is called for each attempt, and must throw when its bytes are not what the descriptor says.
 * Gives the bytes sent, however often; 0 where the blob was there or mounted.
 */
export async function uploadBlob(
  access: Access,
  content: Content,
  open: () => AsyncIterable<Uint8Array>,
  mountFrom: string | undefined,
): Promise<number> {
  const source = createSource(open);
  let isResumable = content.size > access.connection.resumableBytes;
  let sent = 0;
  const work = async (): Promise<void> => {
    if (await headBlob(access, content, pushRequest)) return;
    const session = await startUpload(access, content, mountFrom);
    if (session === "mounted") return;
    sent = content.size;
    if (!isResumable) return putBlob(access, content, session, source);
    if (await sendResumably(access, content, session, source)) return;
    // it does not take its blobs like this; what it has of this one is no use either
    isResumable = false;
    const other = await startUpload(access, content, undefined);
    if (other !== "mounted") await putBlob(access, content, other, source);
  };
  await retried(work, access.policy, access.signal);
  return sent;
}

async function startUpload(
  access: Access,
  { digest }: Content,
  mountFrom: string | undefined,
): Promise<URL | "mounted"> {
  const plain = pushRequest(access, "blobs/uploads/", `blob ${digest}`);
  const request = { ...plain, method: "POST" as const, headers: { "content-length": "0" } };
  let answer: Answer | undefined;
  if (mountFrom !== undefined) {
    const url = new URL(`?${new URLSearchParams({ mount: digest, from: mountFrom }).toString()}`, plain.url);
    const accept = [201, 202, 400, 401, 403, 404, 405];
    const scopes = [...plain.scopes, `repository:${mountFrom}:pull`];
    answer = await send(access.connection, { ...request, url, scopes, accept });
    if (answer.status === 201) {
      await discard(answer.body);
      checkStoredDigest(answer.headers, digest, plain.target);
      return "mounted";
    }
    // what cannot be mounted, for whatever reason, can be uploaded
    if (answer.status !== 202) {
      await discard(answer.body);
      answer = undefined;
    }
  }
  answer ??= await send(access.connection, { ...request, accept: [202] });
  await discard(answer.body);
  return resolveLocation(headerOf(answer.headers, "location"), plain.url, plain.target);
}

async function putBlob(access: Access, { digest, size }: Content, session: URL, source: Source): Promise<void> {
  const request = pushRequest(access, "", `blob ${digest}`);
  const sending = send(access.connection, {
    ...request,
    method: "PUT",
    url: withDigest(session, digest),
    accept: [201],
    headers: { "content-type": "application/octet-stream", "content-length": String(size) },
    body: () => source.from(0),
    isCommit: true,
  });
  const answer = await source.blamed(sending);
  await discard(answer.body);
  checkStoredDigest(answer.headers, digest, request.target);
}
