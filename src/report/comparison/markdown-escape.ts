import { visible, visiblePath } from "./visible.ts";

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/**
 * Text from an image inside of an HTML block of GitHub Flavored Markdown (spec, 4.6): a
 * code element, in which GitHub links neither mentions nor issues nor addresses. It is
 * one line, so that the block does not end in it.
 */
export function codeElement(text: string, length: number): string {
  return `<code>${escaped(visible(text, length))}</code>`;
}

/** As {@link codeElement}, for a path, whose end is kept. */
export function pathElement(path: string, length: number): string {
  return `<code>${escaped(visiblePath(path, length))}</code>`;
}

/** A platform in a cell of a table: characters that platforms do not have are U+FFFD. */
export function platformCell(platform: string): string {
  return `\`${visible(platform, 60).replaceAll(/[^\w/.()+ -]/g, "\ufffd")}\``;
}

/** A fenced code block that its content cannot end: the fence is longer than any in there (spec, 4.5). */
export function fencedDiff(lines: readonly string[]): string {
  const longest = lines.reduce((most, line) => Math.max(most, longestRun(line)), 2);
  const fence = "`".repeat(longest + 1);
  return [`${fence}diff`, ...lines, fence].join("\n");
}

function longestRun(line: string): number {
  return (line.match(/`+/g) ?? []).reduce((most, run) => Math.max(most, run.length), 0);
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? "");
}
