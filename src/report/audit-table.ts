import { ledgerSubject } from "../recipe/checks.ts";
import {
  type AuditEntry,
  type Closure,
  howToGet,
  type Inventory,
  type LedgerLine,
  type SourceOffer,
} from "../audit/inventory.ts";
import { plainText, widthOf } from "./text.ts";

/** An audit for a terminal: how complete each release is, what is missing and how to get it, what has to be offered. */
export function renderAudit({ entries, closures, offers, ledger }: Inventory, escrow: string | undefined): string {
  const rows = closures.map(({ release, percent, parts, missing }) => [
    plainText(release),
    `${percent} %`,
    missing.length === 0 ? "held" : `${missing.length} missing`,
    parts.map(({ part, held, all }) => `${part} ${held}/${all}`).join(", "),
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(0, ...rows.map((row) => widthOf(row[column] ?? ""))));
  const table = rows.map((row) =>
    row.map((cell, column) => cell + " ".repeat(Math.max(0, (widths[column] ?? 0) - widthOf(cell)))).join("  "),
  );
  const held = entries.filter((entry) => entry.held !== undefined).length;
  return [
    ...table,
    "",
    ...closures.flatMap((closure) => describeMissing(closure, escrow)),
    ...describeOffers(offers),
    ...describeLedger(ledger, closures),
    "",
    `${entries.length} inputs of ${closures.length} releases, ${held} of them held${escrow === undefined ? "; no escrow was named, so nothing counts as held" : ` in ${plainText(escrow)}`}`,
  ].join("\n");
}

/** Sources are named one by one; the source packages of toolchains, of which there are hundreds, by their number. */
function describeOffers(offers: readonly SourceOffer[]): string[] {
  const own = offers.flatMap(({ source, licence, commit, offered }) => {
    if (commit === undefined) return [];
    const where = offered === undefined ? "we do not hold it" : `it is ${plainText(offered)}`;
    return [
      `${plainText(source)} is ${plainText(licence)}: its source has to be offered; ${where} (commit ${commit.slice(0, 12)})`,
    ];
  });
  const packages = offers.filter(({ commit }) => commit === undefined);
  const held = packages.filter(({ offered }) => offered !== undefined).length;
  if (packages.length === 0) return own;
  return [
    ...own,
    `${packages.length} source packages of toolchains are under licences that oblige whoever hands out their binaries to offer them; ${held} of them are held (--format json names them)`,
  ];
}

/** What is let stand for a while, by whom, and whether it still is. */
function describeLedger(ledger: readonly LedgerLine[], closures: readonly Closure[]): string[] {
  const lines = ledger.map((entry) => {
    const { reason, owner, expires, expired, covers } = entry;
    const until = expired ? `EXPIRED on ${expires}` : `until ${expires}`;
    const use = covers.length === 0 ? "covers nothing now" : `covers ${covers.length} releases`;
    return plainText(`ledger: ${ledgerSubject(entry)}: ${reason} (${owner}, ${until}; ${use})`);
  });
  const undeclared = closures.filter((closure) => closure.undeclared > 0);
  if (undeclared.length === 0) return lines;
  const pieces = undeclared.reduce((sum, closure) => sum + closure.undeclared, 0);
  return [...lines, `${pieces} missing pieces of ${undeclared.length} releases are in no ledger`];
}

function describeMissing({ release, missing, unpinnedSources }: Closure, escrow: string | undefined): string[] {
  const place = escrow === undefined ? "" : ` --escrow ${plainText(escrow)}`;
  const groups = Map.groupBy(missing, (holding) => howToGet(release, holding));
  const lines = [...groups].map(([get, group]) => {
    const names = group.slice(0, 3).map(({ kind, name, version }) => plainText(`${kind} ${name} ${version}`.trim()));
    const more = group.length > names.length ? ` and ${group.length - names.length} more` : "";
    const how = get.startsWith("refoundry vendor ") ? `${plainText(get)}${place}` : plainText(get);
    return `${plainText(release)} lacks ${names.join(", ")}${more}: ${how}`;
  });
  if (unpinnedSources > 0)
    lines.push(
      `${plainText(release)} has ${unpinnedSources} packages whose source nothing pins: refoundry toolchain sources TOOLCHAIN`,
    );
  return lines;
}

const columns = [
  "kind",
  "name",
  "version",
  "digest",
  "licence",
  "origin",
  "held",
  "since",
  "from",
  "needed by",
] as const;

/** Every input as a line of CSV (RFC 4180), a header first; in pieces. */
export function* renderAuditCsv(entries: readonly AuditEntry[]): Generator<string> {
  yield columns.join(",");
  for (const entry of entries) {
    const row = [
      entry.kind,
      entry.name,
      entry.version,
      entry.digest ?? (entry.commit === undefined ? "" : `git:${entry.commit}`),
      entry.licence ?? "",
      entry.path ?? entry.origins[0] ?? "",
      entry.held?.where ?? "",
      entry.held?.since ?? "",
      entry.held?.from ?? "",
      entry.neededBy.join(" "),
    ];
    yield `\r\n${row.map(quoteCell).join(",")}`;
  }
}

/** What a spreadsheet would take for a formula is kept a text. */
function quoteCell(cell: string): string {
  const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
