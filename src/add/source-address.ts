import { validateSourceUrl } from "../recipe/source-url.ts";
import { shown } from "./text.ts";

/** An address of a git repository that was read out of a label, or what keeps it from being one. */
export type LabelledAddress =
  | { readonly url: string; readonly changed: boolean; readonly problem?: undefined }
  | { readonly problem: string; readonly url?: undefined };

/** Hosts whose repositories everybody can read by https under the same path. */
const forges = "github\\.com|gitlab\\.com|codeberg\\.org|bitbucket\\.org";
const insecure = new RegExp(`^(?:http|git)://(?=(?:${forges})/)`);
const overSsh = new RegExp(`^(?:ssh://)?git@(${forges})[:/]`);

/**
 * The repository that the label `org.opencontainers.image.source` names. People write
 * pages, `git+https:` and `#commit:folder` there; what is no part of the repository's own
 * address is taken off, and nothing else is made up. Only https counts: an image must not
 * choose which of this machine's folders and keys are used.
 */
export function addressOfLabel(label: string): LabelledAddress {
  let text = label.trim().replace(/^git\+(?=https?:|ssh:)/, "");
  text = text.replace(/#.*$/s, "").replace(/\?.*$/s, "");
  text = text.replace(insecure, "https://").replace(overSsh, "https://$1/");
  // a page of a forge, as in .../tree/v1.2/docker
  text = text.replace(/^(https:\/\/[^/\s]+\/[^\s]+?)(?:\/-)?\/(?:tree|blob|commit|releases|src)\/.*$/s, "$1");
  text = text.replace(/\/+$/, "");
  const isPublic = text.startsWith("https://");
  const problem =
    validateSourceUrl(text) ?? (isPublic ? undefined : "is not https://, and a label does not decide more");
  if (problem !== undefined) return { problem: `"${shown(text, 100)}" ${problem}` };
  return { url: text, changed: text !== label };
}
