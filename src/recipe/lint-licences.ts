import { spdxExceptions, spdxLicences } from "./lint-spdx.ts";
import { didYouMean, quoted } from "./words.ts";

/** What an SPDX licence expression says, or what is wrong with it. */
export interface LicenceReading {
  /** What is not recognised, as the end of a sentence that begins with the expression. */
  readonly unknown?: string;
  /** What to write instead. */
  readonly hint?: string;
  /** Identifiers that SPDX gave up for clearer ones. */
  readonly deprecated: readonly { readonly name: string; readonly instead: string }[];
  /** The licences because of which whoever hands out binaries has to offer the source; none where the expression leaves a choice without. */
  readonly offerSource: readonly string[];
}

const licences = new Map(spdxLicences.map((id) => [id.toLowerCase(), id]));
const exceptions = new Map(spdxExceptions.map((id) => [id.toLowerCase(), id]));
const maxTokens = 200;
/** Licences that make the source a condition of handing out binaries, by the beginning of their identifiers. */
const sourceFamilies =
  /^(AGPL|APSL|CDDL|CECILL-(1|2)|CPAL|CPL|EPL|EUPL|GPL|IPL|LGPL|MPL|MS-RL|NPL|OSL|QPL|RPL|RPSL|SPL|SSPL|Sleepycat|Watcom)(-|$)/;
/** What people write for licences that SPDX names otherwise. */
const nicknames: Readonly<Record<string, string>> = {
  apache: "Apache-2.0",
  apache2: "Apache-2.0",
  "apache-2": "Apache-2.0",
  bsd: "BSD-3-Clause",
  "bsd-2": "BSD-2-Clause",
  "bsd-3": "BSD-3-Clause",
  expat: "MIT",
  gpl: "GPL-2.0-or-later",
  gpl2: "GPL-2.0-only",
  "gpl-2": "GPL-2.0-only",
  gplv2: "GPL-2.0-only",
  "gplv2+": "GPL-2.0-or-later",
  "gpl-2+": "GPL-2.0-or-later",
  gpl3: "GPL-3.0-only",
  "gpl-3": "GPL-3.0-only",
  gplv3: "GPL-3.0-only",
  "gplv3+": "GPL-3.0-or-later",
  "gpl-3+": "GPL-3.0-or-later",
  lgpl: "LGPL-2.1-or-later",
  mpl: "MPL-2.0",
  mpl2: "MPL-2.0",
  "public-domain": "CC0-1.0 (or LicenseRef-public-domain)",
};

/** Reads an SPDX licence expression (SPDX 2.3, annex D); identifiers without regard to case, as SPDX matches them. */
export function readLicence(expression: string): LicenceReading {
  const tokens = expression.match(/[()]|[^\s()]+/g) ?? [];
  const deprecated: { name: string; instead: string }[] = [];
  let position = 0;

  const failed = (unknown: string, hint?: string): Failure => ({ unknown, ...(hint !== undefined && { hint }) });
  const operator = (): string | undefined => {
    const word = tokens[position];
    return word !== undefined && /^(and|or|with)$/i.test(word) ? word.toUpperCase() : undefined;
  };
  const either = (): Obligation | Failure => joined("OR", () => joined("AND", single));
  const joined = (word: "AND" | "OR", part: () => Obligation | Failure): Obligation | Failure => {
    let result = part();
    while (!("unknown" in result) && operator() === word) {
      position += 1;
      const next = part();
      if ("unknown" in next) return next;
      const chosen = word === "OR" && (result.length === 0 || next.length === 0);
      result = chosen ? [] : [...result, ...next];
    }
    return result;
  };
  const single = (): Obligation | Failure => {
    const token = tokens[position];
    if (token === undefined) return failed("ends where a licence is to follow");
    if (token === "(") {
      position += 1;
      const inner = either();
      if ("unknown" in inner) return inner;
      if (tokens[position] !== ")") return failed("has a ( without its )");
      position += 1;
      return inner;
    }
    if (token === ")" || operator() !== undefined) return failed(`has ${quoted(token)} where a licence is to be`);
    position += 1;
    if (/^(DocumentRef-[A-Za-z0-9.-]+:)?LicenseRef-[A-Za-z0-9.-]+$/.test(token)) return [];
    const id = knownLicence(token);
    if (id === undefined)
      return failed(`names ${quoted(token)}, which is not on the SPDX licence list`, nearest(token));
    const [, family] = /^((?:A|L)?GPL-\d\.\d|GFDL-\d\.\d)\+?$/.exec(id) ?? [];
    if (family !== undefined)
      deprecated.push({ name: id, instead: id.endsWith("+") ? `${family}-or-later` : `${family}-only` });
    if (operator() === "WITH") {
      const exception = tokens[position + 1] ?? "";
      if (!exceptions.has(exception.toLowerCase()))
        return failed(
          `names ${quoted(exception)}, which is no exception that SPDX lists`,
          didYouMean(exception, spdxExceptions),
        );
      position += 2;
    }
    return sourceFamilies.test(id) ? [id] : [];
  };

  const result = tokens.length === 0 || tokens.length > maxTokens ? failed("is no licence expression") : either();
  if ("unknown" in result) return { ...result, deprecated: [], offerSource: [] };
  const rest = tokens[position];
  if (rest !== undefined) {
    const hint = "join licences with AND or OR; LicenseRef-NAME is for one that SPDX does not list";
    const unknown = rest === ")" ? "has a ) without its (" : `has ${quoted(rest)} where AND, OR or the end is to be`;
    return { unknown, hint, deprecated: [], offerSource: [] };
  }
  return { deprecated, offerSource: [...new Set(result)] };
}

/** The licences of a part that oblige to offer source. */
type Obligation = readonly string[];

interface Failure {
  readonly unknown: string;
  readonly hint?: string;
}

/** An identifier in SPDX's spelling; `+` after one means that version or a later one. */
function knownLicence(token: string): string | undefined {
  const whole = licences.get(token.toLowerCase());
  if (whole !== undefined || !token.endsWith("+")) return whole;
  const base = licences.get(token.slice(0, -1).toLowerCase());
  return base === undefined ? undefined : `${base}+`;
}

function nearest(token: string): string {
  const nickname = Object.hasOwn(nicknames, token.toLowerCase()) ? nicknames[token.toLowerCase()] : undefined;
  if (nickname !== undefined) return `did you mean ${nickname}?`;
  return (
    didYouMean(token, spdxLicences) ??
    "write an identifier of the SPDX licence list, as in MIT or Apache-2.0, or LicenseRef-NAME for one that is not on it"
  );
}
