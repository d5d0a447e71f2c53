import type { LocatedDocument } from "./document.ts";
import { checkLedger, ledgerSubject } from "./checks.ts";
import type { Report } from "./lint-rules.ts";
import type { Recipe, Release } from "./schema.ts";
import type { ToolchainSources } from "./toolchain-sources.ts";

const mostNamed = 5;

/**
 * Tells of a recipe's hermeticity ledger: entries that expired, entries that hold, and
 * source packages of its toolchains' packages that nothing pins and no entry names.
 */
export function lintLedger(
  recipe: LocatedDocument<Recipe>,
  releases: readonly LocatedDocument<Release>[],
  {
    lockSources,
    today,
  }: {
    /** By toolchain and lock, `name/lock`. */
    readonly lockSources: ReadonlyMap<string, LocatedDocument<ToolchainSources> | undefined>;
    readonly today: string;
  },
  report: Report,
): void {
  report("ledger-expired", ...checkLedger(recipe, today));
  for (const [index, entry] of recipe.value.ledger.entries()) {
    if (entry.expires < today) continue;
    report("ledger-open", {
      message: `${ledgerSubject(entry)}: ${entry.reason} (until ${entry.expires})`,
      location: recipe.locate(["ledger", index]),
      hint: `${entry.owner} answers for it`,
    });
  }
  const declared = new Set(
    recipe.value.ledger.flatMap(({ input, names, expires }) =>
      input === "package-source" && expires >= today ? names : [],
    ),
  );
  for (const id of new Set(releases.flatMap((release) => lockIds(recipe.value, release.value)))) {
    const missing = lockSources.get(id)?.value.sources.filter(({ missing: why }) => why !== undefined) ?? [];
    const undeclared = missing.map(({ name }) => name).filter((name) => !declared.has(name));
    if (undeclared.length === 0) continue;
    const more = undeclared.length > mostNamed ? ` and ${undeclared.length - mostNamed} more` : "";
    report("ledger-missing", {
      message: `nothing pins the source packages ${undeclared.slice(0, mostNamed).join(", ")}${more} of the lock ${id}`,
      location: recipe.locate(["toolchain"]),
      hint: "pin them with refoundry toolchain sources where an archive has them, or put them under ledger:",
    });
  }
}

/** The locks that a release pins, `TOOLCHAIN/LOCK`. */
function lockIds({ toolchain, contexts }: Recipe, { toolchain: pin, contexts: pins = {} }: Release): string[] {
  const own = pin.lock === undefined ? [] : [`${toolchain}/${pin.lock}`];
  const others = Object.entries(contexts).flatMap(([name, context]) => {
    const other = pins[name];
    return "toolchain" in context && other && "toolchain" in other && other.toolchain.lock !== undefined
      ? [`${context.toolchain}/${other.toolchain.lock}`]
      : [];
  });
  return [...own, ...others];
}
