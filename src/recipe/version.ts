import { byCodeUnit } from "./words.ts";

const preRelease = /^(alpha|beta|rc|pre|preview|dev|snapshot)$/i;

/**
 * Orders versions as upstreams number them: `1.9` before `1.10`, `2.0-rc1` and `2.0~1`
 * before `2.0`, `2.0-1` after it; a leading `v` and a missing epoch (`0:`) do not count.
 * A total order: only equal texts compare as 0.
 */
export function compareVersions(a: string, b: string): number {
  const left = tokensOf(a);
  const right = tokensOf(b);
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const order = compareTokens(left[index] ?? end, right[index] ?? end);
    if (order !== 0) return order;
  }
  return byCodeUnit(a, b);
}

/** Whether a version is one before a release: `2.0-rc1`, `2.0~1`. */
export function isPreRelease(version: string): boolean {
  return tokensOf(version).some(({ rank }) => rank < 2);
}

interface Token {
  /** 0 tilde, 1 pre-release word, 2 end, 3 other word, 4 number. */
  readonly rank: number;
  readonly text: string;
}

const end: Token = { rank: 2, text: "" };

function tokensOf(version: string): Token[] {
  const [, epoch = "0", rest = ""] = /^(?:(\d+):)?(.*)$/s.exec(version) ?? [];
  const parts = rest.replace(/^v(?=\d)/i, "").match(/\d+|[a-z]+|~/gi) ?? [];
  return [epoch, ...parts].map((text) => {
    if (text === "~") return { rank: 0, text };
    if (/^\d/.test(text)) return { rank: 4, text: text.replace(/^0+(?=\d)/, "") };
    return { rank: preRelease.test(text) ? 1 : 3, text: text.toLowerCase() };
  });
}

function compareTokens(a: Token, b: Token): number {
  if (a.rank !== b.rank) return a.rank - b.rank;
  if (a.rank === 4 && a.text.length !== b.text.length) return a.text.length - b.text.length;
  return byCodeUnit(a.text, b.text);
}
