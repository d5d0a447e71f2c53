import type { AuditEntry, Closure, Inventory } from "../audit/inventory.ts";
import { plainText, widthOf } from "./text.ts";

const shownAtMost = 40;

/** An audit for a terminal: how complete each release is, what is missing and how to get it, what has to be offered. */
export function renderAudit({ entries, closures, offers }: Inventory, escrow: string | undefined): string {
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
    ...offers.map(
      ({ source, licence, commit, offered }) =>
        `${plainText(source)} is ${plainText(licence)}: its source has to be offered; ${offered === undefined ? "we do not hold it" : `it is ${plainText(offered)}`} (commit ${commit.slice(0, 12)})`,
    ),
    "",
    `${entries.length} inputs of ${closures.length} releases, ${held} of them held${escrow === undefined ? "; no escrow was named, so nothing counts as held" : ` in ${plainText(escrow)}`}`,
  ].join("\n");
}

function describeMissing({ release, missing }: Closure, escrow: string | undefined): string[] {
  if (missing.length === 0) return [];
  const names = missing.slice(0, 3).map(({ kind, name, version }) => plainText(`${kind} ${name} ${version}`.trim()));
  const more = missing.length > names.length ? ` and ${missing.length - names.length} more` : "";
  const place = escrow === undefined ? "" : ` --escrow ${plainText(escrow)}`;
  return [
    `${plainText(release)} lacks ${names.join(", ")}${more}: refoundry vendor ${plainText(release)}${place}`,
  ].slice(0, shownAtMost);
}

const columns = ["kind", "name", "version", "digest", "licence", "origin", "held", "since", "needed by"] as const;

/** Every input as a line of CSV (RFC 4180), a header first. */
export function renderAuditCsv(entries: readonly AuditEntry[]): string {
  const rows = entries.map((entry) => [
    entry.kind,
    entry.name,
    entry.version,
    entry.digest ?? (entry.commit === undefined ? "" : `git:${entry.commit}`),
    entry.licence ?? "",
    entry.path ?? entry.origins[0] ?? "",
    entry.held?.where ?? "",
    entry.held?.since ?? "",
    entry.neededBy.join(" "),
  ]);
  return [columns, ...rows].map((row) => row.map(quoteCell).join(",")).join("\r\n");
}

/** What a spreadsheet would take for a formula is kept a text. */
function quoteCell(cell: string): string {
  const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
