import { mismatch } from "../errors.ts";
import { runBuilds } from "../rebuild/run-builds.ts";
import { prepareSource } from "../rebuild/prepare.ts";
import { type CliContext, type CommandResult, type CommonFlags, runCommand } from "./context.ts";
import { withFactory } from "./factory.ts";
import { loadInputs, readPlatforms } from "./rebuild-one.ts";

interface StageFlags extends CommonFlags {
  readonly platform?: readonly string[];
}

interface BuildFlags extends StageFlags {
  readonly force?: boolean;
}

/** `refoundry source RECIPE[@VERSION]` */
export function source(this: CliContext, flags: CommonFlags, argument: string): Promise<void> {
  return runCommand(this, flags, async () => {
    const inputs = await loadInputs(this, argument);
    return withFactory(this, async (factory) => {
      const { origin } = await prepareSource({ source: inputs.source, pin: inputs.release.source }, factory);
      const { commit, tree, archive, epoch } = inputs.release.source;
      const repository = factory.store.repositoryPath(inputs.source.source);
      return {
        text: `${inputs.source.source} ${commit} is verified, from ${origin}\nit is in ${repository}`,
        document: {
          schema: "refoundry/source/v1",
          source: inputs.source.source,
          commit,
          tree,
          archive,
          epoch,
          origin,
          repository,
        },
        exitCode: 0,
      };
    });
  });
}

/** `refoundry build RECIPE[@VERSION]` */
export function build(this: CliContext, flags: BuildFlags, argument: string): Promise<void> {
  return runCommand(this, flags, () => buildOrSmoke(this, flags, argument, "where due"));
}

/** `refoundry smoke RECIPE[@VERSION]` */
export function smoke(this: CliContext, flags: StageFlags, argument: string): Promise<void> {
  return runCommand(this, flags, () => buildOrSmoke(this, flags, argument, "never"));
}

async function buildOrSmoke(
  context: CliContext,
  flags: BuildFlags,
  argument: string,
  build: "where due" | "never",
): Promise<CommandResult> {
  const inputs = await loadInputs(context, argument);
  const platforms = readPlatforms(flags.platform, inputs);
  return withFactory(context, async (factory) => {
    const { work } = await runBuilds(
      { inputs, force: flags.force ?? false, build, smoke: build === "never", ...(platforms && { platforms }) },
      factory,
    );
    const failed = work.filter((item) => item.failure ?? item.smoke?.failure);
    if (failed.length > 0)
      throw mismatch(
        failed.map((item) => `${item.job.platform}: ${item.failure?.message ?? item.smoke?.failure}`).join("\n"),
      );
    return {
      text: work
        .map(
          (item) =>
            `${item.job.platform}  ${item.built?.manifest.digest}${item.built?.cached ? "  (from the store)" : ""}`,
        )
        .join("\n"),
      document: {
        schema: "refoundry/build/v1",
        recipe: inputs.recipe.image,
        version: inputs.release.version,
        platforms: work.map((item) => ({
          platform: item.job.platform,
          buildKey: item.job.buildKey,
          manifest: item.built?.manifest.digest,
          cached: item.built?.cached,
          ...(item.smoke && { smoke: item.smoke.results }),
        })),
      },
      exitCode: 0,
    };
  });
}
