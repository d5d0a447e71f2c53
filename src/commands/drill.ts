import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sampleOfDay } from "../audit/sample.ts";
import { formatProblem, RefoundryError, usageError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import { findRoot, loadRelease, loadReleaseInputs, parseRecipeArgument } from "../recipe/load.ts";
import { formatSeconds, plainText } from "../report/text.ts";
import { readSettings } from "../settings.ts";
import { type CliContext, type CommonFlags, runCommand } from "./context.ts";
import { withFactory } from "./factory.ts";
import { nameReleases } from "./name-releases.ts";
import { rebuildWith } from "./rebuild-one.ts";

/** Flags of `refoundry drill`. */
export interface DrillFlags extends CommonFlags {
  readonly escrow?: string;
  readonly all?: boolean;
  readonly sample?: number;
}

interface Drilled {
  readonly release: string;
  /** The index that the release records. */
  readonly expected: Digest;
  /** What came out; null where nothing did. */
  readonly index: Digest | null;
  readonly passed: boolean;
  readonly seconds: number;
  /** What was lost, or what differs. */
  readonly reason?: string;
}

const defaultSample = 3;

/**
 * `refoundry drill [RECIPE[@VERSION]...]`: rebuilds releases offline from the escrow, each in an
 * empty store and past the builder's cache, and asks for the recorded digests.
 */
export function drill(this: CliContext, flags: DrillFlags, ...releases: readonly string[]): Promise<void> {
  return runCommand(this, flags, async () => {
    const escrow = flags.escrow ?? readSettings(this.process.env).escrow;
    if (escrow === undefined)
      throw usageError("which escrow?", { hint: "give --escrow HOST/NAME or oci:PATH, or set REFOUNDRY_ESCROW" });
    const root = await findRoot(this.cwd);
    const named = await nameReleases(this, { all: releases.length === 0 }, releases);
    const recorded: { release: string; expected: Digest }[] = [];
    for (const { recipe, version } of named) {
      const release = `${recipe}@${version}`;
      const expected = (await loadRelease(root, recipe, version)).expect?.index;
      if (expected !== undefined) recorded.push({ release, expected });
      else if (releases.length > 0)
        throw usageError(`${release} records no digests`, { hint: `refoundry rebuild ${release} --record` });
    }
    const wantsAll = flags.all === true || (releases.length > 0 && flags.sample === undefined);
    const day = new Date().toISOString().slice(0, 10);
    const chosen = wantsAll ? recorded : sampleOfDay(recorded, Math.max(0, flags.sample ?? defaultSample), day);
    // what tried nothing has not passed
    if (chosen.length === 0)
      throw usageError(recorded.length === 0 ? "no release records digests" : "a drill of no release proves nothing", {
        hint: recorded.length === 0 ? "refoundry rebuild RECIPE --record" : "give --sample a number from 1",
      });
    const results: Drilled[] = [];
    for (const each of chosen) results.push(await drillOne(this, each, escrow));
    return {
      text: render(results, recorded.length),
      document: { schema: "refoundry/drill/v1", escrow, recorded: recorded.length, results },
      exitCode: results.every(({ passed }) => passed) ? 0 : 1,
    };
  });
}

async function drillOne(
  context: CliContext,
  { release, expected }: { readonly release: string; readonly expected: Digest },
  escrow: string,
): Promise<Drilled> {
  const folder = await mkdtemp(join(tmpdir(), "refoundry-drill-"));
  const startedAt = performance.now();
  const result = (rest: Pick<Drilled, "index" | "passed" | "reason">): Drilled => ({
    release,
    expected,
    seconds: (performance.now() - startedAt) / 1000,
    ...rest,
  });
  try {
    const { recipe, version } = parseRecipeArgument(release);
    const today = new Date().toISOString().slice(0, 10);
    const which = { ...(version !== undefined && { version }), today, asItWas: true };
    const loaded = await loadReleaseInputs(await findRoot(context.cwd), recipe, which);
    const options = { offline: true, escrow, store: join(folder, "store") };
    const { outcome } = await withFactory(
      context,
      (factory) =>
        // what the builder has cached would hide a build that gives something else each time
        rebuildWith(
          context,
          { out: join(folder, "out"), force: true },
          { loaded, build: "where due", asItWas: true },
          factory,
        ),
      options,
    );
    const index = outcome.index?.digest ?? null;
    if (index === expected) return result({ index, passed: true });
    const bad = outcome.platforms.find(({ verdict }) => verdict === "build-failed" || verdict === "different");
    return result({ index, passed: false, reason: bad?.explanation ?? `it gave ${index ?? "no index"}` });
  } catch (error) {
    if (!(error instanceof RefoundryError) || error.kind === "interrupted") throw error;
    return result({ index: null, passed: false, reason: error.problems.map(formatProblem).join("\n") });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function render(results: readonly Drilled[], recorded: number): string {
  const lines = results.map(({ release, passed, seconds, reason, expected }) =>
    passed
      ? `${plainText(release)}: ${expected} again, in ${formatSeconds(seconds)}`
      : `${plainText(release)} failed: ${plainText(reason ?? "")}`,
  );
  const passed = results.filter((result) => result.passed).length;
  return [
    ...lines,
    "",
    `${passed} of ${results.length} releases gave their recorded digests; ${recorded} record any`,
  ].join("\n");
}
