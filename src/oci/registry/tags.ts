import { infrastructureError } from "../../errors.ts";
import { isTag } from "../reference.ts";
import { isReferrerTag } from "../referrers.ts";
import { type Access, nameOf, pullRequest } from "./access.ts";
import { parseJsonObject, readPages } from "./pages.ts";

const pageSize = 1000;

/**
 * All tags of a repository (distribution-spec, end-8b), in code-unit order, without those
 * that stand in for the referrers API; none where there is no such repository.
 */
export async function listTags(access: Access): Promise<string[]> {
  const request = pullRequest(access, `tags/list?n=${pageSize}`, "list of tags");
  const found = new Set<string>();
  for await (const { status, bytes } of readPages(access, request, [200, 404])) {
    if (status === 404) break;
    const tags = parseJsonObject(bytes)?.["tags"];
    // a repository whose tags are all gone says null in some registries
    if (tags === null) continue;
    if (!Array.isArray(tags))
      throw infrastructureError(`${nameOf(access)} answered with something else than a list of tags`);
    // what is no tag could not be asked for
    for (const tag of tags) if (typeof tag === "string" && isTag(tag) && !isReferrerTag(tag)) found.add(tag);
  }
  return [...found].toSorted();
}
