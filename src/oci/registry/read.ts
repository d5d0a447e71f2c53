import { setTimeout as sleep } from "node:timers/promises";
import { infrastructureError, interrupted } from "../../errors.ts";
import { verified } from "../digest.ts";
import type { Descriptor } from "../types.ts";
import { discard, headerOf } from "./body.ts";
import { type Answer, type Connection, type Exchange, send, translate } from "./exchange.ts";
import { TransientFailure } from "./failures.ts";
import { retried, type RetryPolicy } from "./retry.ts";

const maxBreaks = 50;

/**
 * Content of a repository as a stream, its size and digest checked at the end. A
 * transfer that breaks off goes on where it stopped: by a Range request, or from the
 * start without what was read already where the server knows no ranges.
 */
export function readContent(
  connection: Connection,
  exchange: Omit<Exchange, "method" | "accept">,
  descriptor: Descriptor,
  policy: RetryPolicy,
): AsyncGenerator<Uint8Array> {
  const { target } = exchange;
  return verified(
    resumed(connection, exchange, descriptor, policy),
    descriptor,
    `${target.what} of ${target.host}/${target.repository}`,
  );
}

async function* resumed(
  connection: Connection,
  exchange: Omit<Exchange, "method" | "accept">,
  descriptor: Descriptor,
  policy: RetryPolicy,
): AsyncGenerator<Uint8Array> {
  const { signal, target, url } = exchange;
  let offset = 0;
  let withoutProgress = 0;
  for (let breaks = 0; ; breaks++) {
    const before = offset;
    const { body, skip } = await openAt(connection, exchange, offset, descriptor, policy);
    let failure: unknown;
    try {
      let toSkip = skip;
      for await (const chunk of body as AsyncIterable<Uint8Array>) {
        const rest = chunk.subarray(Math.min(toSkip, chunk.length));
        toSkip -= chunk.length - rest.length;
        offset += rest.length;
        if (rest.length > 0) yield rest;
      }
      if (offset >= descriptor.size) return;
      failure = new TransientFailure(infrastructureError("it ended early"));
    } catch (error) {
      failure = translate(error, target, url, signal);
    }
    if (!(failure instanceof TransientFailure)) throw failure;
    withoutProgress = offset > before ? 0 : withoutProgress + 1;
    if (withoutProgress > policy.retries || breaks === maxBreaks) {
      throw infrastructureError(
        `the transfer of ${target.what} of ${target.host}/${target.repository} broke off at ${offset} of ${descriptor.size} bytes, again and again`,
        { hint: "run the same command again; what is whole already is not transferred again", cause: failure.failure },
      );
    }
    await sleep(policy.firstDelay * 2 ** Math.min(withoutProgress, 4), undefined, signal && { signal }).catch(() => {
      throw interrupted();
    });
  }
}

/** Opens the content at an offset; `skip` bytes come first that were read already. */
async function openAt(
  connection: Connection,
  exchange: Omit<Exchange, "method" | "accept">,
  offset: number,
  descriptor: Descriptor,
  policy: RetryPolicy,
): Promise<{ readonly body: Answer["body"]; readonly skip: number }> {
  const { target, signal } = exchange;
  const headers = {
    ...exchange.headers,
    "accept-encoding": "identity",
    ...(offset > 0 && { range: `bytes=${offset}-` }),
  };
  const accept = offset > 0 ? [200, 206, 416] : [200];
  const answer = await retried(() => send(connection, { ...exchange, method: "GET", headers, accept }), policy, signal);
  if (answer.status === 200) return { body: answer.body, skip: offset };
  const range = headerOf(answer.headers, "content-range") ?? "";
  if (answer.status === 206 && new RegExp(`^bytes ${offset}-[0-9]+/([0-9]+|\\*)$`, "i").test(range.trim()))
    return { body: answer.body, skip: 0 };
  await discard(answer.body);
  const what = `${target.what} of ${target.host}/${target.repository}`;
  if (answer.status === 416)
    throw infrastructureError(
      `${what} has ${offset} bytes, not the ${descriptor.size} it should have: it is damaged in the registry`,
    );
  throw infrastructureError(`${what}: the transfer broke off at ${offset} bytes, and the server went on elsewhere`, {
    hint: "run the same command again",
  });
}
