import { formatProblem, RefoundryError, usageError } from "../errors.ts";
import { openEscrow } from "../escrow/open-escrow.ts";
import type { WrittenCapsule } from "../escrow/write-capsule.ts";
import { findRoot } from "../recipe/load.ts";
import { vendorRelease } from "../rebuild/vendor-release.ts";
import { formatBytes } from "../report/text.ts";
import { type CliContext, type CommonFlags, runCommand } from "./context.ts";
import { withFactory } from "./factory.ts";
import { nameReleases } from "./name-releases.ts";
import { loadInputs } from "./rebuild-one.ts";

/** Flags of `refoundry vendor`. */
export interface VendorFlags extends CommonFlags {
  readonly escrow?: string;
  readonly all?: boolean;
}

type Vendored =
  | ({ readonly release: string } & WrittenCapsule)
  | { readonly release: string; readonly problems: RefoundryError["problems"] };

/** `refoundry vendor RECIPE[@VERSION]...`: puts everything that releases stand on into the escrow. */
export function vendor(this: CliContext, flags: VendorFlags, ...releases: readonly string[]): Promise<void> {
  return runCommand(this, flags, async () => {
    const root = await findRoot(this.cwd);
    const wanted = await nameReleases(this, flags, releases);
    return withFactory(this, async (factory) => {
      const place = flags.escrow ?? factory.settings.escrow;
      if (place === undefined)
        throw usageError("which escrow?", { hint: "give --escrow HOST/NAME or oci:PATH, or set REFOUNDRY_ESCROW" });
      const escrow = await openEscrow(place, factory.registry, { cwd: this.cwd, create: true });
      const results: Vendored[] = [];
      for (const { recipe, version } of wanted) {
        const release = `${recipe}@${version}`;
        try {
          const inputs = await loadInputs(this, release);
          results.push({ release, ...(await vendorRelease(inputs, root, escrow, factory)) });
        } catch (error) {
          if (!(error instanceof RefoundryError) || error.kind === "interrupted" || wanted.length === 1) throw error;
          results.push({ release, problems: error.problems });
        }
      }
      return {
        text: render(results, escrow.name),
        document: { schema: "refoundry/vendor/v1", escrow: escrow.name, releases: results },
        exitCode: results.every((result) => "capsule" in result) ? 0 : 3,
      };
    });
  });
}

function render(results: readonly Vendored[], escrow: string): string {
  const lines = results.map((result) =>
    "capsule" in result
      ? `${result.release}: ${result.capsule.digest}, ${formatBytes(result.bytes)}, ${sentence(result)}`
      : `${result.release} failed: ${result.problems.map(formatProblem).join("\n")}`,
  );
  const held = results.filter((result) => "capsule" in result);
  const sent = held.reduce((sum, { bytesSent }) => sum + bytesSent, 0);
  return [
    ...lines,
    "",
    `${held.length} of ${results.length} releases are in ${escrow}; ${formatBytes(sent)} were sent`,
  ].join("\n");
}

function sentence({ blobs, blobsSent }: WrittenCapsule): string {
  return blobsSent === 0 ? "all of it was there" : `${blobsSent} of ${blobs} pieces sent`;
}
