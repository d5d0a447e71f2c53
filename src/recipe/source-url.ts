const maxLength = 2048;
/** git's `user@host:path`; no part can be taken for an option. */
const scpLike = /^[A-Za-z0-9_][A-Za-z0-9_.-]*@[A-Za-z0-9][A-Za-z0-9.-]*:(?![-:])[A-Za-z0-9_.~/+-]+$/;

/**
 * Says what is wrong with the address of a git repository; undefined when git may see
 * it. Allowed are `https:`, `ssh:`, `user@host:path` and `file:` with an absolute path.
 */
export function validateSourceUrl(url: string): string | undefined {
  if (url === "") return "is empty";
  if (url.length > maxLength) return `is longer than ${maxLength} characters`;
  if (/[\p{Cc}\p{Z}\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/u.test(url))
    return "has white space or a control character in it";
  if (url.startsWith("-")) return "begins with -, which git would take for an option";
  if (scpLike.test(url)) return undefined;
  if (/^[A-Za-z0-9+.-]+::/.test(url)) return "names a git remote helper, which can run any program";
  const parsed = /^[a-z][a-z0-9+.-]*:\/\//i.test(url) ? URL.parse(url) : null;
  if (!parsed) return "is not an address that can be used: write https://, ssh:// or user@host:path";
  if (parsed.hash !== "" || parsed.search !== "") return "has a ? or # part, which git does not know";
  switch (parsed.protocol) {
    case "https:":
      return parsed.username !== "" || parsed.password !== ""
        ? "has credentials in it; give them to git's credential helper"
        : undefined;
    case "ssh:":
      return sshProblem(parsed);
    case "file:":
      return parsed.host === "" && parsed.pathname !== "/" ? undefined : "must be file:/// and an absolute path";
    case "http:":
    case "git:":
      return `uses ${parsed.protocol}//, which anyone on the way can change; use https:// or ssh://`;
    default:
      return `uses ${parsed.protocol}//; use https:// or ssh://`;
  }
}

/** What a reader should know about an address that is allowed: `file:` serves one machine only. */
export function noteOnSourceUrl(url: string): string | undefined {
  return /^file:/i.test(url) ? "is on this machine only: nobody else can fetch it" : undefined;
}

function sshProblem(url: URL): string | undefined {
  if (url.password !== "") return "has a password in it; use a key";
  const names = [url.hostname, decodeSafely(url.hostname), url.username, decodeSafely(url.username)];
  if (url.hostname === "") return "names no host";
  if (names.some((name) => name.startsWith("-")))
    return "has a host or user that begins with -, which ssh would take for an option";
  return /^[A-Za-z0-9.[\]:-]+$/.test(url.hostname) ? undefined : "has characters in its host that no host name has";
}

function decodeSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
