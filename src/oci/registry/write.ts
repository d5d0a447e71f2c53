import { infrastructureError, usageError } from "../../errors.ts";
import { digestOf } from "../digest.ts";
import { isTag } from "../reference.ts";
import { referrerDescriptor, subjectOf } from "../referrers.ts";
import { type Descriptor, maxDocumentBytes } from "../types.ts";
import { type Access, pushRequest, type Request } from "./access.ts";
import { discard, headerOf } from "./body.ts";
import { send } from "./exchange.ts";
import { checkStoredDigest, TransientFailure } from "./failures.ts";
import { addToTagIndex } from "./referrers-tag.ts";
import { readReferrers } from "./referrers.ts";
import { retried } from "./retry.ts";

/**
 * Writes a manifest or index under a tag or its digest (distribution-spec, end-7), unless
 * it is there already. Throws when the registry made something else of it. One with a
 * `subject` is listed among its referrers afterwards, under the referrers tag where the
 * registry does not say that it keeps the list itself.
 */
export async function putManifest(
  access: Access,
  bytes: Uint8Array,
  mediaType: string,
  tagOrDigest: string,
): Promise<Descriptor> {
  const digest = digestOf(bytes);
  const descriptor: Descriptor = { mediaType, digest, size: bytes.length };
  if (tagOrDigest !== digest && !isTag(tagOrDigest)) {
    throw usageError(`a manifest is written under a tag or its own digest, not "${tagOrDigest}"`, {
      hint: `its digest is ${digest}`,
    });
  }
  if (bytes.length > maxDocumentBytes)
    throw usageError(`the manifest ${digest} has ${bytes.length} bytes; registries take at most ${maxDocumentBytes}`);
  const request = pushRequest(access, `manifests/${tagOrDigest}`, `manifest ${tagOrDigest}`);
  const write = (): Promise<string | undefined> => put(access, request, bytes, descriptor);
  const unlessThere = async (): Promise<{ readonly wasThere: boolean; readonly listedFor?: string | undefined }> => {
    const there = await send(access.connection, {
      ...request,
      method: "HEAD",
      accept: [200, 404],
      headers: { accept: mediaType },
    });
    await discard(there.body);
    const wasThere = there.status === 200 && headerOf(there.headers, "docker-content-digest") === digest;
    return wasThere ? { wasThere } : { wasThere, listedFor: await write() };
  };
  const { wasThere, listedFor } = await retried(unlessThere, access.policy, access.signal);
  const subject = subjectOf(bytes)?.digest;
  if (subject === undefined || listedFor === subject) return descriptor;
  // who wrote it may have been stopped before it was listed
  if (wasThere) {
    const { keptBy, referrers } = await readReferrers(access, subject);
    if (referrers.some((entry) => entry.digest === digest)) return descriptor;
    if (keptBy === "registry" && (await retried(write, access.policy, access.signal)) === subject) return descriptor;
  }
  await addToTagIndex(access, subject, referrerDescriptor(bytes, descriptor));
  return descriptor;
}

/** Writes it whatever is there; gives the subject that the registry listed it for, if it did. */
async function put(
  access: Access,
  request: Request,
  bytes: Uint8Array,
  { mediaType, digest }: Descriptor,
): Promise<string | undefined> {
  const { target } = request;
  const answer = await send(access.connection, {
    ...request,
    method: "PUT",
    // who says that it will be written later is asked again whether it is there
    accept: [201, 202],
    headers: { "content-type": mediaType },
    body: () => bytes,
    isCommit: true,
  });
  await discard(answer.body);
  checkStoredDigest(answer.headers, digest, target);
  if (answer.status === 202) {
    throw new TransientFailure(
      infrastructureError(
        `the registry ${target.host} took the ${target.what} for ${target.host}/${target.repository} (202), and does not have it`,
        { hint: "run the same command again; it looks whether it is there" },
      ),
    );
  }
  return headerOf(answer.headers, "oci-subject");
}
