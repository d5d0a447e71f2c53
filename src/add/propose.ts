import type { PlatformName } from "../oci/platform.ts";
import { formatReference } from "../oci/reference.ts";
import { readLicence } from "../recipe/lint-licences.ts";
import { type Recipe, recipeSchema, type Source, sourceSchema } from "../recipe/schema.ts";
import { noteOnSourceUrl } from "../recipe/source-url.ts";
import { fileOf, recipeFolder } from "../recipe/tree.ts";
import { hasGo } from "./choose-toolchain.ts";
import type { ChosenToolchain } from "./choose-toolchain.ts";
import { proposeDockerfile } from "./dockerfile.ts";
import { labelOf } from "./image-config.ts";
import { proposePlatforms, type ProposedPlatforms } from "./platforms.ts";
import { recipeText, sourceText } from "./recipe-text.ts";
import { shown } from "./text.ts";
import type { ImageFacts, Question, SourceFacts } from "./types.ts";

/** All that a proposal is made from; nothing is read and nothing asked any more. */
export interface ProposalInputs {
  readonly name: string;
  readonly image: ImageFacts;
  readonly source: {
    readonly name: string;
    readonly url: string;
    /** Whether its file is there already and is used as it is. */
    readonly known?: Source;
    readonly facts?: SourceFacts;
  };
  readonly toolchain: ChosenToolchain;
  /** Those of the factory's other recipes, when they agree. */
  readonly owners: readonly string[] | undefined;
  readonly extend: readonly PlatformName[] | undefined;
}

/** A recipe with its Dockerfile and source, as text and as what it says. */
export interface Proposal {
  readonly recipe: Recipe;
  readonly source: Source;
  /** By path from the factory's root. */
  readonly files: ReadonlyMap<string, string>;
  readonly platforms: ProposedPlatforms;
  readonly questions: readonly Question[];
}

/** Proposes the files of a new recipe from what was seen, and says what is left to a person. */
export function propose(inputs: ProposalInputs): Proposal {
  const { name, image, source, toolchain } = inputs;
  const recipeFile = fileOf("recipe", name);
  const dockerfileFile = `${recipeFolder(name)}/Dockerfile`;
  const chosen = toolchain.toolchain;
  const isGo = image.go !== undefined || source.facts?.kind === "go";
  const pureGo = isGo && hasGo(chosen) && image.go?.settings.get("CGO_ENABLED") !== "1";
  const platforms = proposePlatforms(image.platforms, inputs.extend, chosen, pureGo);
  const questions: Question[] = [];
  const inRecipe = (about: Question["about"], at: readonly (string | number)[], text: string): void =>
    void questions.push({ about, text, file: recipeFile, at });

  if (!inputs.owners) inRecipe("owners", ["owners"], "who answers for this image is not known");
  if (toolchain.reason !== undefined)
    inRecipe("toolchain", ["toolchain"], `${chosen.toolchain} was taken because ${toolchain.reason}`);
  if (platforms.unknown.length > 0)
    inRecipe(
      "platforms",
      ["platforms"],
      `whether ${chosen.toolchain} can build for ${platforms.unknown.join(", ")} is not known: those it can belong under extend`,
    );
  if (image.otherPlatforms.length > 0)
    inRecipe(
      "platforms",
      ["platforms"],
      `upstream has ${image.otherPlatforms.join(", ")} too, which is not built here`,
    );
  if (image.reference.kind !== "registry")
    inRecipe("upstream", ["upstream", "image"], "the image is on this machine only: name the registry it comes from");
  const smoke = proposeSmoke(image);
  inRecipe("smoke", ["smoke"], smoke.question);
  for (const gap of image.gaps) inRecipe("upstream", ["upstream", "image"], gap);

  const made = source.known ? undefined : newSource(inputs, questions);
  const docker = proposeDockerfile({
    file: dockerfileFile,
    image,
    source: source.facts,
    toolchain: chosen,
    platforms: [...platforms.reproduce, ...platforms.extend],
  });
  const recipe = recipeText({
    name,
    owners: inputs.owners ?? ["nobody-yet"],
    source: source.name,
    toolchain: chosen.toolchain,
    upstream: upstreamOf(image),
    reproduce: platforms.reproduce,
    extend: platforms.extend,
    smoke: [smoke.run],
  });
  return {
    recipe: recipeSchema.parse(yamlValue(inputs, platforms, smoke.run)),
    source: source.known ?? sourceSchema.parse(made?.value),
    files: new Map([
      ...(made ? [[fileOf("source", source.name), made.text] as const] : []),
      [recipeFile, recipe],
      [dockerfileFile, docker.text],
    ]),
    platforms,
    questions: [...questions, ...docker.questions],
  };
}

function yamlValue(inputs: ProposalInputs, platforms: ProposedPlatforms, run: readonly string[]): unknown {
  return {
    image: inputs.name,
    owners: inputs.owners ?? ["nobody-yet"],
    source: inputs.source.name,
    toolchain: inputs.toolchain.toolchain.toolchain,
    upstream: { image: upstreamOf(inputs.image) },
    build: { dockerfile: "Dockerfile", network: "none" },
    platforms: { reproduce: platforms.reproduce, extend: platforms.extend },
    smoke: [{ run }],
  };
}

/** The reference; of a registry's without tag and digest: each release is pinned from the tag of its version. */
function upstreamOf({ reference }: ImageFacts): string {
  if (reference.kind !== "registry") return formatReference(reference);
  return formatReference({ kind: "registry", host: reference.host, repository: reference.repository });
}

/** A command that is likely to end by itself; nobody ran it. */
function proposeSmoke({ config, programs }: ImageFacts): {
  readonly run: readonly string[];
  readonly question: string;
} {
  const program = [config.entrypoint[0], config.cmd[0], programs[0]?.path].find(
    (word) => word !== undefined && /^[\x21-\x7e]{1,200}$/.test(word),
  );
  if (program === undefined)
    return {
      run: ["/bin/true"],
      question: "the image does not say what it runs: write a command that shows that it works",
    };
  if (/(^|\/)(ba|da|a)?sh$/.test(program))
    return {
      run: [program, "-c", "exit 0"],
      question: "that the shell starts shows little: write a command that shows that the image works",
    };
  return {
    run: [program, "--version"],
    question: `that ${program} --version ends with 0 is a guess: write what shows that the image works, and what it prints`,
  };
}

function newSource(
  { source, image }: ProposalInputs,
  questions: Question[],
): { readonly text: string; readonly value: unknown } {
  const file = fileOf("source", source.name);
  const label = labelOf(image.config, "licenses");
  const isStated = label !== undefined && label.length <= 200 && readLicence(label).unknown === undefined;
  const read = source.facts?.licence;
  const licence = isStated ? label : (read?.id ?? "LicenseRef-unknown");
  if (!isStated) {
    const said =
      label === undefined ? "" : `the image's label says "${shown(label, 60)}", which is no SPDX expression; `;
    const later = read?.id.endsWith("-only") === true ? " (or -or-later, which its text does not tell)" : "";
    const text = read
      ? `${read.file} reads like ${read.id}${later}: look whether it is that`
      : "which licence the source has is not known";
    questions.push({ about: "licence", text: `${said}${text}`, file, at: ["licence"] });
  } else if (read && !label.includes(read.id.replace(/-only$/, ""))) {
    const text = `the image's label says ${label}, and ${read.file} reads like ${read.id}`;
    questions.push({ about: "licence", text, file, at: ["licence"] });
  }
  const note = noteOnSourceUrl(source.url);
  if (note !== undefined) questions.push({ about: "source", text: `the source ${note}`, file, at: ["upstream"] });
  const text = sourceText({ name: source.name, licence, upstream: source.url });
  const value = { source: source.name, licence, upstream: source.url, forks: [], import: { kind: "git" } };
  return { text, value };
}
