import { plainText } from "./text.ts";

/** Text that Markdown and HTML in it leave as it is, in one cell of a table. */
export function markdownText(value: string): string {
  return plainText(value).replaceAll(/[\\`*_{}[\]()#+!|~<>&@]/g, (character) => `&#${character.codePointAt(0)};`);
}

/** The same, set as code. */
export function markdownCode(value: string): string {
  return `<code>${markdownText(value)}</code>`;
}
