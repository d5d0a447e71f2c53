import type { ReasonCode } from "../plan/types.ts";
import type { Recipe, Release } from "../recipe/schema.ts";
import { recipeFolder } from "../recipe/tree.ts";
import { upstreamName } from "../recipe/upstream.ts";

/** Something that would make a release due, with the code that a plan would give for it. */
export interface Trigger {
  readonly code: ReasonCode;
  readonly sentence: string;
}

/**
 * What would make a release rebuild: one entry for each input of its build keys as it is
 * now, then what makes it due without another build key.
 */
export function whatRebuilds(recipe: Recipe, release: Release): Trigger[] {
  const { build, platforms, waivers } = recipe;
  const { source, toolchain, contexts, expect } = release;
  const { lock, version } = toolchain;
  const trigger = (code: ReasonCode, sentence: string): Trigger => ({ code, sentence });
  const pinned = toolchain.digest.slice(0, 19);
  const args = Object.entries(build.args).map(([name, value]) => `${name}=${value}`);
  const inputs = expect?.inputs;
  const expiry = waivers.map(({ expires }) => expires).toSorted()[0];
  const upstream = "none" in recipe.upstream ? undefined : upstreamName(recipe.upstream);
  return [
    trigger("source-changed", `another commit of ${recipe.source} than ${source.commit.slice(0, 12)}`),
    trigger(
      "dockerfile-changed",
      `a change of ${recipeFolder(recipe.image)}/${build.dockerfile}, or of a file beside it`,
    ),
    (lock ?? version) === undefined
      ? trigger("base-changed", `another image of ${recipe.toolchain} than ${pinned}`)
      : trigger(
          "toolchain-changed",
          lock === undefined
            ? `another image of the toolchain ${recipe.toolchain} than that of ${version}, once it is pinned`
            : `another lock of the toolchain ${recipe.toolchain} than ${lock}, once it is pinned`,
        ),
    ...Object.entries(contexts ?? {}).flatMap(([name, pin]) => {
      const context = recipe.contexts[name];
      if (context && "toolchain" in context && context.use === "smoke") return [];
      return trigger("base-changed", `the context ${name}: ${pinText(context, pin)}, once it is pinned`);
    }),
    trigger(
      "args-changed",
      args.length === 0 ? "a build argument, of which it has none" : `other build arguments than ${args.join(" ")}`,
    ),
    trigger(
      "factory-changed",
      inputs
        ? `another builder than ${inputs.builder}, normaliser than ${inputs.normaliser}, or way of exporting layers`
        : "another builder, normaliser or way of exporting layers",
    ),
    trigger("platform-added", `a platform beside ${[...platforms.reproduce, ...platforms.extend].join(", ")}`),
    trigger("recipe-changed", "other smoke tests, waivers or upstream, in a pull request (plan --since)"),
    ...(upstream === undefined
      ? []
      : [trigger("upstream-repinned", `another image of ${upstream}, once it is pinned`)]),
    ...(expiry === undefined ? [] : [trigger("waiver-expired", `the end of a waiver, first on ${expiry}`)]),
    trigger("unreleased", "its tag gone from the registry that is asked"),
    trigger("attestation-missing", "its signature or provenance gone from there"),
  ];
}

function pinText(
  context: Recipe["contexts"][string] | undefined,
  pin: NonNullable<Release["contexts"]>[string],
): string {
  if ("source" in pin) {
    const name = context && "source" in context ? context.source : "its source";
    return `another commit of ${name} than ${pin.source.commit.slice(0, 12)}`;
  }
  if ("recipe" in pin) {
    const name = context && "recipe" in context ? context.recipe : "its recipe";
    return `another image of ${name} than that of ${pin.recipe.version}, ${pin.recipe.index.slice(0, 19)}`;
  }
  const name = context && "toolchain" in context ? context.toolchain : "its toolchain";
  return `another ${name} than ${pin.toolchain.lock ?? pin.toolchain.version ?? pin.toolchain.digest.slice(0, 19)}`;
}
