/** One challenge of a WWW-Authenticate header; scheme and parameter names in lower case. */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const maxHeaderLength = 8192;
// RFC 9110, 11.6.1: a parameter with a token or quoted string, or the scheme that begins a challenge
const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const piece = new RegExp(
  `[\\s,]*(?:(${token})[ \\t]*=[ \\t]*(?:"((?:[^"\\\\]|\\\\.)*)"|(${token}))|(${token})(?=[\\s,]|$))`,
  "y",
);

/**
 * Parses WWW-Authenticate (RFC 9110, 11.6.1), which may hold several challenges. What
 * cannot be parsed ends the list; a longer header than 8 KiB counts as none.
 */
export function parseChallenges(header: string | readonly string[] | undefined): Challenge[] {
  const text = typeof header === "string" ? header : (header ?? []).join(", ");
  if (text.length > maxHeaderLength) return [];
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  piece.lastIndex = 0;
  for (let match = piece.exec(text); match; match = piece.exec(text)) {
    const [, name, quoted, plain, scheme] = match;
    if (scheme !== undefined) challenges.push({ scheme: scheme.toLowerCase(), parameters: new Map() });
    const value = quoted?.replaceAll(/\\(.)/g, "$1") ?? plain;
    if (name !== undefined && value !== undefined) challenges.at(-1)?.parameters.set(name.toLowerCase(), value);
  }
  return challenges;
}
