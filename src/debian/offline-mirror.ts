import { infrastructureError } from "../errors.ts";
import type { OciLayout } from "../oci/layout.ts";
import type { Mirror } from "./mirror.ts";

/** A mirror that has what the store has, and says of everything else that it is not there. */
export function offlineMirror(blobs: OciLayout): Mirror {
  const lacking = (what: string): Error =>
    infrastructureError(`${what} is neither in the store nor in the escrow, and nothing else is asked offline`, {
      hint: "refoundry vendor RECIPE --escrow REF, where there is a network, puts it there",
    });
  return {
    async fetchFile({ path, size, sha256 }) {
      const digest = `sha256:${sha256}` as const;
      if (await blobs.has({ digest, size })) return { digest, origin: "store" };
      throw lacking(path);
    },
    fetchUnpinned: (path) => Promise.reject(lacking(path)),
    hasFile: (path) => Promise.reject(lacking(path)),
    rootUrl: () => Promise.reject(lacking("the Debian archive's index")),
    close: () => Promise.resolve(),
  };
}
