import { usageError } from "../errors.ts";
import { explainRelease } from "../nightly/explain.ts";
import { renderExplanation } from "../nightly/explanation-text.ts";
import { parseReference, type RegistryReference } from "../oci/reference.ts";
import { findRoot } from "../recipe/load.ts";
import { selectReleases } from "../recipe/range.ts";
import { type CliContext, type CommonFlags, runCommand } from "./context.ts";
import { withFactory } from "./factory.ts";
import { openHistory } from "./nightly.ts";

/** Flags of `refoundry explain`. */
export interface ExplainFlags extends CommonFlags {
  /** `HOST/PREFIX`, where releases are as `HOST/PREFIX/RECIPE:VERSION`. */
  readonly registry?: string;
  readonly history?: string;
  /** Runs of the history to look through; 30 by default. */
  readonly limit?: number;
}

const defaultLimit = 30;

/** `refoundry explain RECIPE[@VERSION]`: everything that is known of one release. Exits 0 although parts cannot be had. */
export function explain(this: CliContext, flags: ExplainFlags, argument: string): Promise<void> {
  return runCommand(this, flags, async () => {
    const root = await findRoot(this.cwd);
    const [release, ...more] = await selectReleases(root, argument);
    if (!release || more.length > 0)
      throw usageError(`${argument} names ${more.length + 1} releases, and one is explained at a time`, {
        hint: `as in refoundry explain ${release?.recipe ?? "RECIPE"}@${release?.version ?? "VERSION"}`,
      });
    const registry = flags.registry === undefined ? undefined : readRegistry(flags.registry);
    return withFactory(this, async (factory) => {
      const explanation = await explainRelease(
        {
          root,
          ...release,
          today: new Date().toISOString().slice(0, 10),
          history: await openHistory(flags.history, factory),
          limit: flags.limit ?? defaultLimit,
          ...(registry && { registry }),
        },
        factory,
      );
      return { text: renderExplanation(explanation), document: explanation, exitCode: 0 };
    });
  });
}

function readRegistry(text: string): RegistryReference {
  const reference = parseReference(text);
  if (reference.kind === "registry" && reference.tag === undefined && reference.digest === undefined) return reference;
  throw usageError(`--registry takes HOST/PREFIX, without a tag or digest, and got ${text}`, {
    hint: "a release of a recipe is looked for as HOST/PREFIX/RECIPE:VERSION",
  });
}
