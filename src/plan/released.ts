import { bundleType } from "../attest/read-attestations.ts";
import { predicateTypes } from "../attest/statement.ts";
import type { Digest } from "../oci/digest.ts";
import type { RegistryReference } from "../oci/reference.ts";
import type { RegistryClient } from "../oci/registry/client.ts";
import type { Repository } from "../oci/repository.ts";
import { releaseTag } from "../publish/release-tags.ts";
import type { Answers } from "./answers.ts";
import type { CatalogueRelease } from "./catalogue.ts";
import { digestAt } from "./pinned-upstream.ts";
import type { ReleaseFacts } from "./types.ts";

/** Where releases are: a release of a recipe is `HOST/PREFIX/RECIPE:VERSION`. */
export interface ReleaseRegistry {
  readonly place: RegistryReference;
  readonly client: RegistryClient;
  readonly answers: Answers;
  /** Look for signature and provenance of each release; one request more. */
  readonly attestations: boolean;
  readonly signal: AbortSignal;
}

/** Asks what a release's tag names; a second time that is the same question. */
export function askTag(
  { recipe, release }: Pick<CatalogueRelease, "recipe" | "release">,
  { place, client, answers, signal }: ReleaseRegistry,
): { readonly repository: Repository; readonly name: string; readonly answer: Promise<Digest | undefined> } {
  const repository = client.repository({ host: place.host, repository: `${place.repository}/${recipe.image}` });
  const tag = releaseTag(release.version);
  const name = `${repository.name}:${tag}`;
  return { repository, name, answer: answers.ask(`tag ${name}`, () => digestAt(repository, tag, signal)) };
}

/** What the registry has of a release, and what beside it. Throws where it cannot be asked. */
export async function askReleased(
  release: Pick<CatalogueRelease, "recipe" | "release">,
  registry: ReleaseRegistry,
): Promise<NonNullable<ReleaseFacts["released"]>> {
  const { repository, name, answer } = askTag(release, registry);
  const index = await answer;
  if (index === undefined) return { name, index: "absent" };
  if (!registry.attestations) return { name, index };
  const { answers, signal } = registry;
  let missing: readonly string[] = [];
  // an index whose evidence is whole is remembered, as an answer to itself
  await answers.ask(`evidence ${name}@${index}`, async () => {
    const bundles = await repository.listReferrers(index, { artifactType: bundleType, signal });
    const types = new Set(bundles.map(({ annotations }) => annotations?.["dev.sigstore.bundle.predicateType"]));
    missing = (["signature", "provenance"] as const).filter((wanted) => !types.has(predicateTypes[wanted]));
    return missing.length === 0 ? index : undefined;
  });
  return { name, index, missing };
}
