import { parseStanzas } from "../compare/packages/stanzas.ts";
import { cleanText } from "./text.ts";
import type { Licence } from "./types.ts";

/** Identifiers of the SPDX licence list that distributions' packages are mostly under. */
const identifiers: ReadonlyMap<string, string> = new Map(
  `0BSD AFL-2.1 AFL-3.0 AGPL-3.0-only AGPL-3.0-or-later Apache-1.1 Apache-2.0 Artistic-1.0 Artistic-1.0-Perl
  Artistic-2.0 Beerware BlueOak-1.0.0 BSD-1-Clause BSD-2-Clause BSD-2-Clause-Patent BSD-3-Clause BSD-4-Clause
  BSD-4-Clause-UC BSL-1.0 bzip2-1.0.6 CC-BY-3.0 CC-BY-4.0 CC-BY-SA-3.0 CC-BY-SA-4.0 CC0-1.0 CDDL-1.0 CPL-1.0 curl
  EPL-1.0 EPL-2.0 FSFAP FSFUL FSFULLR FTL GFDL-1.1-or-later GFDL-1.2-only GFDL-1.2-or-later GFDL-1.3-only
  GFDL-1.3-or-later GPL-1.0-only GPL-1.0-or-later GPL-2.0-only GPL-2.0-or-later GPL-3.0-only GPL-3.0-or-later HPND
  ICU IJG ISC LGPL-2.0-only LGPL-2.0-or-later LGPL-2.1-only LGPL-2.1-or-later LGPL-3.0-only LGPL-3.0-or-later
  Libpng libtiff MIT MIT-0 MPL-1.1 MPL-2.0 MS-PL NCSA NTP OFL-1.1 OLDAP-2.8 OpenSSL PHP-3.01 PostgreSQL PSF-2.0
  Python-2.0 Ruby Sleepycat SMLNJ TCL Unicode-3.0 Unicode-DFS-2016 Unlicense UPL-1.0 Vim W3C WTFPL X11 Zlib
  zlib-acknowledgement ZPL-2.1`
    .split(/\s+/)
    .map((id) => [id.toLowerCase(), id]),
);
const exceptions: ReadonlyMap<string, string> = new Map(
  `Autoconf-exception-2.0 Autoconf-exception-3.0 Bison-exception-2.2 Classpath-exception-2.0 GCC-exception-2.0
  GCC-exception-3.1 Libtool-exception Linux-syscall-note LLVM-exception u-boot-exception-2.0`
    .split(/\s+/)
    .map((id) => [id.toLowerCase(), id]),
);

/** What the machine-readable copyright format 1.0 (7.2) calls otherwise than SPDX does. */
const debianNames: ReadonlyMap<string, string> = new Map([
  ["expat", "MIT"],
  ["bsd-2-clause", "BSD-2-Clause"],
  ["bsd-3-clause", "BSD-3-Clause"],
  ["bsd-4-clause", "BSD-4-Clause"],
  ["artistic", "Artistic-1.0-Perl"],
  ["psf-2", "PSF-2.0"],
  ["zlib/libpng", "Zlib"],
  ["cc0", "CC0-1.0"],
  ["boost-1.0", "BSL-1.0"],
]);
const gnuFamily = /^(a?gpl|lgpl|gfdl)-([123])(\.\d)?(?:\.0)?(\+?)$/;
const maxTokens = 100;
const maxLicenceBytes = 1024 * 1024;

/**
 * An SPDX licence expression (SPDX 2.3, annex D) in canonical spelling; nothing for a text
 * that is none, or that names a licence which is not known here.
 */
export function spdxExpression(
  text: string,
  lookUp: (name: string) => string | undefined = knownLicence,
): string | undefined {
  const tokens = text.match(/[()]|[^\s()]+/g) ?? [];
  if (tokens.length === 0 || tokens.length > maxTokens) return undefined;
  const result: string[] = [];
  let depth = 0;
  let wantsLicence = true;
  for (const [position, token] of tokens.entries()) {
    const word = token.toUpperCase();
    if (token === "(") {
      if (!wantsLicence) return undefined;
      depth += 1;
      result.push("(");
    } else if (token === ")") {
      if (wantsLicence || depth === 0) return undefined;
      depth -= 1;
      result.push(")");
    } else if (word === "AND" || word === "OR") {
      if (wantsLicence) return undefined;
      wantsLicence = true;
      result.push(` ${word} `);
    } else if (word === "WITH") {
      const exception = exceptions.get((tokens[position + 1] ?? "").toLowerCase());
      if (wantsLicence || !exception || tokens[position - 1] === ")") return undefined;
      result.push(` WITH ${exception}`);
    } else if (tokens[position - 1]?.toUpperCase() !== "WITH") {
      const licence = wantsLicence ? lookUp(token) : undefined;
      if (licence === undefined) return undefined;
      wantsLicence = false;
      result.push(licence);
    }
  }
  return depth === 0 && !wantsLicence ? result.join("") : undefined;
}

/** A licence as somebody declared it; nothing for an empty text. */
export function declaredLicence(text: string): Licence | undefined {
  const name = cleanText(text.trim()).slice(0, 512);
  if (name === "") return undefined;
  const expression = spdxExpression(name);
  return expression === undefined ? { name } : { expression };
}

/**
 * The licence of a machine-readable debian/copyright (copyright-format 1.0) whose every
 * paragraph of files has a licence that SPDX knows; nothing for any other. What
 * holds for some files only is joined with AND, so nothing is left out.
 */
export function copyrightLicence(bytes: Buffer): Licence | undefined {
  if (bytes.length > maxLicenceBytes) return undefined;
  const [header, ...paragraphs] = parseStanzas(bytes) ?? [];
  if (
    !/^https?:\/\/(?:www\.)?debian\.org\/doc\/packaging-manuals\/copyright-format\/1\.0\/?$/.test(
      header?.field("format") ?? "",
    )
  )
    return undefined;
  const expressions = new Set<string>();
  for (const paragraph of paragraphs) {
    if (paragraph.field("files") === undefined) continue;
    const expression = debianExpression(paragraph.field("license") ?? "");
    if (expression === undefined) return undefined;
    expressions.add(expression);
  }
  const parts = [...expressions].toSorted();
  if (parts.length === 0 || parts.length > maxTokens) return undefined;
  if (parts.length === 1) return { expression: parts[0] ?? "" };
  return { expression: parts.map((part) => (/ (?:AND|OR) /.test(part) ? `(${part})` : part)).join(" AND ") };
}

/** The synopsis of a License field. Commas change what binds tighter there, so none are taken. */
function debianExpression(text: string): string | undefined {
  if (/[,()]/.test(text)) return undefined;
  const hasBoth = / and /i.test(text) && / or /i.test(text);
  return hasBoth ? undefined : spdxExpression(text, debianLicence);
}

function debianLicence(name: string): string | undefined {
  return debianNames.get(name.toLowerCase()) ?? gnuLicence(name) ?? knownLicence(name);
}

function knownLicence(name: string): string | undefined {
  return identifiers.get(name.toLowerCase());
}

/** `GPL-2+` is `GPL-2.0-or-later`. */
function gnuLicence(name: string): string | undefined {
  const [, family = "", major = "", minor = ".0", plus] = gnuFamily.exec(name.toLowerCase()) ?? [];
  return family === "" ? undefined : knownLicence(`${family}-${major}${minor}-${plus === "+" ? "or-later" : "only"}`);
}
