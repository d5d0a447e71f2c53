import { usageError } from "../errors.ts";
import { type Emit, runStage } from "../events.ts";
import { parseReference, type Reference } from "../oci/reference.ts";
import type { RegistryClient } from "../oci/registry/client.ts";
import type { LintProblem } from "../recipe/lint.ts";
import { nameSchema, type Release } from "../recipe/schema.ts";
import { fileOf } from "../recipe/tree.ts";
import { quoted } from "../recipe/words.ts";
import type { Store } from "../store/store.ts";
import { chooseToolchain } from "./choose-toolchain.ts";
import { chooseVersion } from "./choose-version.ts";
import { chooseSource, findSource } from "./find-source.ts";
import { type PinFirst, pinFirstRelease } from "./first-release.ts";
import { inspectImage } from "./inspect-image.ts";
import { commonOwners, knownSource } from "./known.ts";
import { placeQuestions } from "./place-questions.ts";
import { requirePlatforms } from "./platforms.ts";
import { type Proposal, propose } from "./propose.ts";
import { requireSourceUrl } from "./remote-refs.ts";
import { lintNewFiles, requireAbsent, writeNewFiles } from "./stage-files.ts";
import { counted, shown } from "./text.ts";
import type { ImageFacts, PlacedQuestion, Question, Revision, SourceFacts } from "./types.ts";

/** What is to be added. */
export interface AddRequest {
  readonly root: string;
  /** Any reference that {@link parseReference} reads. */
  readonly image: string;
  readonly source?: string;
  readonly name?: string;
  readonly toolchain?: string;
  readonly version?: string;
  /** `--platform-extend`; the default list when absent. */
  readonly platformExtend?: readonly string[];
  /** `YYYY-MM-DD`, for lint. */
  readonly today: string;
  readonly dryRun?: boolean;
}

/** What add works with. */
export interface AddContext {
  readonly store: Store;
  readonly registry: RegistryClient;
  readonly emit: Emit;
  readonly signal: AbortSignal;
  readonly pin: PinFirst;
}

/** What was added, or would be. */
export interface Added {
  readonly name: string;
  readonly version: string;
  readonly image: ImageFacts;
  readonly source: {
    readonly name: string;
    readonly url: string;
    readonly isFromLabel: boolean;
    /** Whether `vendor-sources/` had it already. */
    readonly isKnown: boolean;
    readonly revision?: Revision;
    readonly facts?: SourceFacts;
  };
  readonly toolchain: string;
  readonly platforms: Proposal["platforms"];
  readonly release?: Release;
  /** By path from the factory's root. */
  readonly files: ReadonlyMap<string, string>;
  readonly questions: readonly PlacedQuestion[];
  readonly problems: readonly LintProblem[];
  readonly isWritten: boolean;
}

/**
 * Makes a recipe from a live image: looks at it and at its source, proposes what can be
 * told from the two, pins the first release, and says what it could not find out. Writes
 * all files or none, and replaces nothing. Throws a usage error for what cannot be added,
 * and an infrastructure error when registry or repository cannot be reached.
 */
export async function addRecipe(request: AddRequest, context: AddContext): Promise<Added> {
  const { root } = request;
  const { store, emit, signal } = context;
  const reference = parseReference(request.image);
  const name = chooseName(reference, request.name);
  const extend = request.platformExtend && requirePlatforms(request.platformExtend);
  if (request.source !== undefined) requireSourceUrl(request.source);
  await requireAbsent(root, name);
  const image = await runStage(emit, { stage: "upstream", title: `look at ${shown(request.image)}` }, async () => {
    const value = await inspectImage(reference, {
      ...context,
      onBlob: ({ digest }) =>
        emit({ type: "stage-progress", stage: "upstream", doing: `pulling ${digest.slice(0, 19)}` }),
    });
    return { value, detail: `${counted(value.platforms.length, "platform")}, ${value.looked} looked into` };
  });
  const { version, doubt } = chooseVersion(image, request.version);
  const { url, isFromLabel } = chooseSource(image, request.source);
  const known = await knownSource(root, name, url);
  const sourceName = known?.source ?? name;
  const names = [
    ...new Set([
      name,
      sourceName,
      url
        .replace(/\.git$/, "")
        .split(/[/:]/)
        .at(-1) ?? name,
    ]),
  ];
  const found = await runStage(
    emit,
    { stage: "source", title: `find ${shown(version)} in ${shown(url)}` },
    async () => {
      const repositoryPath = store.repositoryPath(sourceName);
      const value = await findSource({ url, version, names, image, repositoryPath }, signal);
      return { value, detail: value.revision ? `commit ${value.revision.commit}` : "no commit" };
    },
  );
  const toolchain = await chooseToolchain(root, request.toolchain, image, found.facts);
  const proposal = propose({
    name,
    image,
    source: { name: sourceName, url, ...(known && { known }), ...(found.facts && { facts: found.facts }) },
    toolchain,
    owners: await commonOwners(root),
    extend,
  });
  const first = await pinFirstRelease(proposal, version, found.revision, context);
  const sourceFile = fileOf("source", sourceName);
  const questions: Question[] = [
    ...(doubt === undefined
      ? []
      : [{ about: "version" as const, text: doubt, file: fileOf("recipe", name), at: ["image"] }]),
    ...(isFromLabel
      ? [
          {
            about: "source" as const,
            text: "the address is what the image's label says: see that it is the project's own",
            file: sourceFile,
            at: ["upstream"],
          },
        ]
      : []),
    ...found.doubts.map((each) => ({ ...each, file: sourceFile, at: ["upstream"] })),
    ...proposal.questions,
    ...(first.question ? [first.question] : []),
  ];
  const files = new Map([...proposal.files, ...first.files]);
  const problems = await lintNewFiles(files, {
    root,
    toolchain: proposal.recipe.toolchain,
    scratch: await store.temporaryFolder("add"),
    today: request.today,
    ...(known && { source: sourceName }),
  });
  if (request.dryRun !== true) await writeNewFiles(root, name, files);
  return {
    name,
    version,
    image,
    source: {
      name: sourceName,
      url,
      isFromLabel,
      isKnown: known !== undefined,
      ...(found.revision && { revision: found.revision }),
      ...(found.facts && { facts: found.facts }),
    },
    toolchain: proposal.recipe.toolchain,
    platforms: proposal.platforms,
    ...(first.release && { release: first.release }),
    files,
    questions: placeQuestions(questions, files),
    problems,
    isWritten: request.dryRun !== true,
  };
}

function chooseName(reference: Reference, asked: string | undefined): string {
  const seen =
    reference.kind === "registry"
      ? reference.repository.split("/").at(-1)
      : reference.path
          .split("/")
          .at(-1)
          ?.replace(/\.(tar|oci|tgz|gz)+$/g, "");
  const name = asked ?? seen ?? "";
  if (nameSchema.safeParse(name).success) return name;
  throw usageError(`${quoted(name)} is not a name for a recipe`, {
    hint: "give one with --name: lower-case letters and digits with single . _ - between them, as in tini",
  });
}
