import { join } from "node:path";
import { canonicalJson } from "../json.ts";
import type { Engine } from "../engine/types.ts";
import { usageError } from "../errors.ts";
import { digestOf } from "../oci/digest.ts";
import type { PlatformName } from "../oci/platform.ts";
import type { Descriptor } from "../oci/types.ts";
import type { Toolchain } from "../recipe/schema.ts";
import { type ClientRoot, smokeTest, type SmokeOutcome } from "../smoke/smoke-test.ts";
import { platformOfDebianArchitecture } from "../toolchain/architecture.ts";
import { imagesOf } from "./build-platform.ts";
import type { Factory, PreparedContexts, ReleaseInputs } from "./types.ts";

/** What smoke tests are given when they need it. */
export interface SmokeMeans {
  readonly engine: () => Promise<Engine>;
  readonly smokeContexts: () => Promise<PreparedContexts>;
  /** The release's toolchain, in the store. */
  readonly toolchain: () => Promise<Descriptor>;
}

/** Runs a release's smoke test on one platform's image, or takes the store's word that it passed. */
export async function smokePlatform(
  inputs: ReleaseInputs,
  platform: PlatformName,
  manifest: Descriptor,
  means: SmokeMeans,
  options: { readonly factory: Factory; readonly force: boolean },
): Promise<SmokeOutcome & { readonly reused: boolean }> {
  const { store, emit, signal } = options.factory;
  const commands = inputs.recipe.smoke;
  const assisted = commands.filter((smoke) => "serve" in smoke || smoke.in !== undefined);
  const roots = assisted.map((smoke) => {
    const name = smoke.in ?? supervisorContext(inputs);
    return name === undefined ? undefined : inputs.contexts[name];
  });
  const clients = roots.map((root) => (root?.kind === "toolchain" ? root.pin.digest : inputs.release.toolchain.digest));
  const key = digestOf(
    canonicalJson({
      manifest: manifest.digest,
      platform,
      commands,
      version: inputs.release.version,
      ...(clients.length > 0 && { clients }),
    }),
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
      clients: (context) => clientRoot(context, inputs, platform, means, options.factory),
      workFolder: join(await store.temporaryFolder("smoke"), "test"),
    },
    await means.engine(),
    emit,
    signal,
  );
  // only success is remembered: a failure may have been the machine's
  if (outcome.failure === undefined) await store.writeRecord("smoke", key, outcome);
  return { ...outcome, reused: false };
}

/**
 * The context that what starts a server comes from, where no client names one: Perl is in
 * what is made from Debian's packages. None is the toolchain.
 */
function supervisorContext({ toolchain, contexts }: ReleaseInputs): string | undefined {
  if ("debian" in toolchain) return undefined;
  return Object.entries(contexts).find(
    ([, context]) => context.kind === "toolchain" && context.use === "smoke" && "debian" in context.toolchain,
  )?.[0];
}

async function clientRoot(
  asked: string | undefined,
  inputs: ReleaseInputs,
  platform: PlatformName,
  means: SmokeMeans,
  { store }: Factory,
): Promise<ClientRoot> {
  const context = asked ?? supervisorContext(inputs);
  const named = context === undefined ? undefined : inputs.contexts[context];
  if (context !== undefined && named?.kind !== "toolchain") {
    throw usageError(`${inputs.recipe.image}: a smoke test takes its client from ${context}, which is no toolchain`, {
      hint: "add it to the recipe's contexts: {toolchain: NAME, use: smoke}",
    });
  }
  const toolchain = named?.kind === "toolchain" ? named.toolchain : inputs.toolchain;
  const prepared = context === undefined ? undefined : await means.smokeContexts();
  const image = context === undefined ? await means.toolchain() : prepared?.images(platform)[context];
  const [client] = image ? Object.values(imagesOf({ client: image }, store)) : [];
  if (!client) throw usageError(`${inputs.recipe.image}: the context ${context ?? "toolchain"} has no image`);
  return { image: client, platform: platformOf(toolchain) };
}

function platformOf(toolchain: Toolchain): PlatformName {
  return "debian" in toolchain ? platformOfDebianArchitecture(toolchain.debian.architecture) : toolchain.platform;
}
