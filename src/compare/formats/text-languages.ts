import type { CommentStyle } from "./text-comments.ts";

const slashes: CommentStyle = { line: /^\/\/[-=*]*(?:[ \t]|$)/, block: { open: "/*", close: "*/" } };
const blocks: CommentStyle = { block: { open: "/*", close: "*/" } };
/** A blank behind the sign: `#include`, `#!` and `#1000` mean something to somebody. */
const hashes: CommentStyle = { line: /^#+(?:[ \t]|$)/ };
const dashes: CommentStyle = { line: /^--+(?:[ \t]|$)/ };
const semicolons: CommentStyle = { line: /^;+(?:[ \t]|$)/ };
const ini: CommentStyle = { line: /^(?:#+|;+)(?:[ \t]|$)/ };
/** `java.util.Properties` writes its time right behind the sign. */
const properties: CommentStyle = { line: /^[#!]/ };
const markup: CommentStyle = { block: { open: "<!--", close: "-->" } };
const m4: CommentStyle = { line: /^dnl(?:[ \t]|$)/ };

const styles: readonly (readonly [CommentStyle, string])[] = [
  [slashes, "c h cc cpp cxx hh hpp hxx java js mjs cjs ts mts cts"],
  [blocks, "css"],
  [hashes, "sh bash zsh ksh py pyi pl pm rb tcl awk mk cmake conf cfg yaml yml toml r pc la"],
  [ini, "ini desktop service socket timer target"],
  [dashes, "sql lua hs"],
  [semicolons, "el lisp scm"],
  [properties, "properties"],
  [markup, "xml svg xsd xsl"],
  [m4, "m4 ac"],
];
const byExtension = new Map(styles.flatMap(([style, names]) => names.split(" ").map((name) => [name, style] as const)));
const byName = new Map([
  ["Makefile", hashes],
  ["makefile", hashes],
  ["GNUmakefile", hashes],
  ["Dockerfile", hashes],
]);
const interpreter = /^#! ?\/\S{0,200}?(?:\/env (?:-S )?)?([a-z]+)[\d.]*(?:\s|$)/;
const hashInterpreters = new Set("sh bash dash ash zsh ksh python perl ruby awk gawk mawk tclsh".split(" "));

/** What kind of text a file is, by its name and first line; nothing when that is not known. */
export function textLanguage(path: string, firstLine: string): CommentStyle | "manual" | "html" | undefined {
  const parts = path.split("/");
  const name = parts.at(-1) ?? "";
  if (parts.includes("man") && /\.[1-9n][a-z0-9]{0,8}$/.test(name)) return "manual";
  const known = byName.get(name);
  if (known) return known;
  const extension = /[^.]\.([a-z0-9]+)$/.exec(name)?.[1];
  if (extension === "html" || extension === "htm" || extension === "xhtml") return "html";
  if (extension !== undefined && byExtension.has(extension)) return byExtension.get(extension);
  const program = interpreter.exec(firstLine)?.[1];
  return program !== undefined && hashInterpreters.has(program) ? hashes : undefined;
}
