import { readHeld } from "../audit/held.ts";
import { howToGet, type Inventory, type InventoryTaker, startInventory } from "../audit/inventory.ts";
import { usageError } from "../errors.ts";
import { openEscrow } from "../escrow/open-escrow.ts";
import { listLedger, listReleaseHoldings } from "../escrow/release-inputs.ts";
import { configTime } from "../oci/manifest.ts";
import { prettyJson } from "../json.ts";
import { createRegistryClient } from "../oci/registry/client.ts";
import { findRoot, forgetRecipes, loadReleaseInputs, readAhead, type SharedDocuments } from "../recipe/load.ts";
import { renderAuditSpdx } from "../report/audit-spdx.ts";
import { renderAudit, renderAuditCsv } from "../report/audit-table.ts";
import { readSettings } from "../settings.ts";
import { type CliContext, type CommonFlags, runCommand } from "./context.ts";
import { type NamedRelease, nameReleases } from "./name-releases.ts";

const readAtOnce = 64;

/** Flags of `refoundry audit`. */
export interface AuditFlags extends CommonFlags {
  readonly escrow?: string;
  readonly format?: string;
  /** Percent of each release's closure that has to be held. */
  readonly require?: number;
  /** Whether everything that is not held has to be in a hermeticity ledger. */
  readonly ledger?: boolean;
}

/** `refoundry audit [RECIPE[@VERSION]...]`: every input of releases, what is held of them, and what is not. */
export function audit(this: CliContext, flags: AuditFlags, ...releases: readonly string[]): Promise<void> {
  return runCommand(this, flags, async () => {
    const { format = "table", require = 0 } = flags;
    if (!["table", "json", "csv", "spdx"].includes(format))
      throw usageError(`--format is table, json, csv or spdx, and not ${format}`);
    const root = await findRoot(this.cwd);
    const today = new Date().toISOString().slice(0, 10);
    const named = await nameReleases(this, { all: releases.length === 0 }, releases);
    const place = flags.escrow ?? readSettings(this.process.env).escrow;
    const client = createRegistryClient({ env: this.process.env });
    try {
      const escrow = place === undefined ? undefined : await openEscrow(place, client, { cwd: this.cwd });
      const taker = startInventory(escrow ? await readHeld(escrow, this.signal) : new Map(), today);
      await takeAll(taker, root, named, today);
      const inventory = taker.done();
      const document = documentOf(inventory, place);
      const texts: Readonly<Record<string, () => string | Iterable<string>>> = {
        table: () => renderAudit(inventory, place),
        json: () => prettyJson(document),
        csv: () => renderAuditCsv(inventory.entries),
        spdx: () => renderAuditSpdx(inventory.entries, configTime(Math.floor(Date.now() / 1000))),
      };
      const isEnough = inventory.closures.every(({ percent }) => percent >= require);
      const isAllowed =
        inventory.ledger.every(({ expired }) => !expired) &&
        (flags.ledger !== true || inventory.closures.every(({ undeclared }) => undeclared === 0));
      return { text: (texts[format] ?? texts["table"])?.() ?? "", document, exitCode: isEnough && isAllowed ? 0 : 1 };
    } finally {
      await client.close();
    }
  });
}

/** Some dozens of releases at a time are read and taken, and only what is wanted of them is kept. */
async function takeAll(
  taker: InventoryTaker,
  root: string,
  named: readonly NamedRelease[],
  today: string,
): Promise<void> {
  const shared: SharedDocuments = new Map();
  for (let at = 0; at < named.length; at += readAtOnce) {
    const some = named.slice(at, at + readAtOnce);
    await readAhead(root, some, shared);
    for (const { recipe, version } of some) {
      const loaded = await loadReleaseInputs(root, recipe, { version, today, shared });
      taker.take({ recipe, version, holdings: listReleaseHoldings(loaded), ledger: listLedger(loaded) });
    }
    forgetRecipes(shared);
  }
}

/** What is missing of each release is written out, with how to get it, when the closure is. */
function documentOf({ closures, ...inventory }: Inventory, escrow: string | undefined): object {
  const { entries, ...rest } = inventory;
  return {
    schema: "refoundry/audit/v1",
    ...(escrow !== undefined && { escrow }),
    entries,
    closures: {
      *[Symbol.iterator]() {
        for (const closure of closures)
          yield {
            ...closure,
            missing: closure.missing.map((holding) => ({ ...holding, get: howToGet(closure.release, holding) })),
          };
      },
    },
    ...rest,
  };
}
