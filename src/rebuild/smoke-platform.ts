import { join } from "node:path";
import { canonicalJson } from "../json.ts";
import type { Engine } from "../engine/types.ts";
import { digestOf } from "../oci/digest.ts";
import type { PlatformName } from "../oci/platform.ts";
import type { Descriptor } from "../oci/types.ts";
import { smokeTest, type SmokeOutcome } from "../smoke/smoke-test.ts";
import type { Factory, ReleaseInputs } from "./types.ts";

/** Runs a release's smoke test on one platform's image, or takes the store's word that it passed. */
export async function smokePlatform(
  inputs: ReleaseInputs,
  platform: PlatformName,
  manifest: Descriptor,
  engine: () => Promise<Engine>,
  options: { readonly factory: Factory; readonly force: boolean },
): Promise<SmokeOutcome & { readonly reused: boolean }> {
  const { store, emit, signal } = options.factory;
  const commands = inputs.recipe.smoke;
  const key = digestOf(
    canonicalJson({ manifest: manifest.digest, platform, commands, version: inputs.release.version }),
  );
  const passed = options.force ? undefined : await store.readRecord<SmokeOutcome>("smoke", key);
  if (passed) return { ...passed, reused: true };
  const outcome = await smokeTest(
    {
      commands,
      platform,
      version: inputs.release.version,
      image: {
        layout: store.path,
        digest: manifest.digest,
      },
      workFolder: join(await store.temporaryFolder("smoke"), "test"),
    },
    await engine(),
    emit,
    signal,
  );
  // only success is remembered: a failure may have been the machine's
  if (outcome.failure === undefined) await store.writeRecord("smoke", key, outcome);
  return { ...outcome, reused: false };
}
