import { cp } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sampleOfDay } from "../../src/audit/sample.ts";
import type { PlatformName } from "../../src/oci/platform.ts";
import type { Outcome } from "../../src/outcome.ts";
import { listRecipes, listReleases, loadRelease } from "../../src/recipe/load.ts";
import { refoundry } from "../support/cli.ts";
import { temporaryFolder } from "../support/temporary.ts";

const checkout = new URL("../..", import.meta.url).pathname;
// a day's share; all of them take hours on an empty cache, and are asked for by name
const wanted = process.env["REFOUNDRY_CATALOGUE"] === "all" ? Number.POSITIVE_INFINITY : 1;

interface Recorded {
  /** `RECIPE@VERSION PLATFORM`, to choose by. */
  readonly release: string;
  readonly argument: string;
  readonly platform: PlatformName;
  readonly manifest: string;
  readonly verdict: string | undefined;
}

async function readRecorded(): Promise<Recorded[]> {
  const recorded: Recorded[] = [];
  for (const recipe of await listRecipes(checkout))
    for (const version of await listReleases(checkout, recipe)) {
      const { expect: known } = await loadRelease(checkout, recipe, version);
      for (const [platform, { manifest, verdict }] of Object.entries(known?.platforms ?? {}) as [
        PlatformName,
        { manifest: string; verdict?: string },
      ][])
        recorded.push({
          release: `${recipe}@${version} ${platform}`,
          argument: `${recipe}@${version}`,
          platform,
          manifest,
          verdict,
        });
    }
  return recorded;
}

const all = await readRecorded();
const today = new Date().toISOString().slice(0, 10);

test("most releases of the catalogue record what they gave", () => {
  expect(all.length).toBeGreaterThan(20);
});

test.each(sampleOfDay(all, wanted, today))(
  "$release gives what it gave when it was recorded, and runs",
  async ({ argument, platform, manifest, verdict }) => {
    const root = join(await temporaryFolder(), "clone");
    for (const name of ["recipes", "vendor-sources"])
      await cp(join(checkout, name), join(root, name), { recursive: true });
    const result = await refoundry(["rebuild", argument, "--platform", platform, "--json"], { cwd: root });
    expect(result.exitCode, result.stderr.slice(-4000)).toBe(0);
    const [outcome] = (JSON.parse(result.stdout) as Outcome).platforms;
    expect(outcome).toMatchObject({ platform, rebuilt: manifest, ...(verdict !== undefined && { verdict }) });
    expect(outcome?.smoke?.length).toBeGreaterThan(0);
  },
  3_000_000,
);
