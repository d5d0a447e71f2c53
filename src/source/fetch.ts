import { join } from "node:path";
import type { Mirror } from "../debian/mirror.ts";
import { infrastructureError, messageOf, mismatch, RefoundryError, usageError } from "../errors.ts";
import type { Emit } from "../events.ts";
import { type BareRepository, openBareRepository } from "../git/repository.ts";
import type { OciLayout } from "../oci/layout.ts";
import type { Release, Source } from "../recipe/schema.ts";
import { importDebianSource } from "./debian-import.ts";
import { fetchFromSoftwareHeritage } from "./software-heritage.ts";
import { bringSubmodules, checkSubmodules } from "./submodules.ts";

/** What fetching a source needs. */
export interface FetchRequest {
  readonly source: Source;
  readonly pin: Release["source"];
  readonly repositoryPath: string;
  readonly blobs: OciLayout;
  readonly mirror: Mirror;
  readonly temporaryFolder: string;
  /** Neither forks nor upstream nor archives are asked. */
  readonly offline: boolean;
  /** Root address of Software Heritage's site, asked last where there is one. */
  readonly softwareHeritage?: string | undefined;
  readonly emit: Emit;
  readonly signal?: AbortSignal;
}

/** A source whose pinned commit is in the store's repository. */
export interface FetchedSource {
  readonly repositoryPath: string;
  /** `store`, `fork URL`, `upstream URL`, `Software Heritage swh:1:rev:COMMIT` or `the Debian mirror`. */
  readonly origin: string;
}

/**
 * Brings the pinned commit into the store's repository: from the store, from our forks
 * in order, from upstream or by importing the Debian source package, and last from Software
 * Heritage; then its submodules, where the release pins any. A place that fails is said and passed over. Throws a mismatch error when the commit or its
 * tree is not the pinned one.
 */
export async function fetchSource(request: FetchRequest): Promise<FetchedSource> {
  const repository = await openBareRepository(request.repositoryPath, request.signal);
  const fetched = await fetchPinned(request, repository);
  if (request.pin.submodules)
    checkSubmodules(await bringSubmodules(repository, { ...request, commit: request.pin.commit }), request.pin);
  return fetched;
}

async function fetchPinned(request: FetchRequest, repository: BareRepository): Promise<FetchedSource> {
  const { source, pin, repositoryPath } = request;
  if (await repository.hasCommit(pin.commit)) {
    await verifyTree(repository, request);
    return { repositoryPath, origin: "store" };
  }
  const failures: string[] = [];
  for (const { origin, bring } of request.offline ? [] : placesOf(request, repository)) {
    request.emit({
      type: "stage-progress",
      stage: "source",
      doing: `fetching ${pin.commit.slice(0, 12)} from ${origin}`,
    });
    try {
      await bring();
      await verifyTree(repository, request);
      return { repositoryPath, origin };
    } catch (error) {
      if (!(error instanceof RefoundryError) || error.kind !== "infrastructure") throw error;
      failures.push(messageOf(error));
      request.emit({
        type: "notice",
        severity: "warning",
        message: `the ${origin} cannot be used, trying the next place: ${messageOf(error)}`,
      });
    }
  }
  if (source.import.kind === "git" && request.offline)
    throw infrastructureError(
      `the commit ${pin.commit} of ${source.source} is neither in the store nor in the escrow, and nothing else is asked offline`,
      { hint: "refoundry vendor RECIPE --escrow REF, where there is a network, puts it there" },
    );
  if (source.import.kind === "git") {
    throw infrastructureError(
      `the commit ${pin.commit} of ${source.source} cannot be had from anywhere:\n${failures.join("\n")}`,
      {
        hint: `push it to a fork, and name the fork in vendor-sources/${source.source}.yaml; or set REFOUNDRY_SOFTWARE_HERITAGE, where it may be archived`,
      },
    );
  }
  await importPinned(request, source.import.package);
  await verifyTree(repository, request);
  return { repositoryPath, origin: "the Debian mirror" };
}

interface Place {
  readonly origin: string;
  readonly bring: () => Promise<void>;
}

/** Where the pinned commit may be had, in the order of preference. */
function placesOf(request: FetchRequest, repository: BareRepository): Place[] {
  const { source, pin, softwareHeritage: root } = request;
  const place = (what: string, url: string): Place => ({
    origin: `${what} ${url}`,
    bring: () => repository.fetchCommit(url, pin.commit),
  });
  const forks = source.forks.map((url) => place("fork", url));
  // what is imported from Debian has a commit that we made: nobody else has it
  if (source.import.kind !== "git") return forks;
  const archive: Place = {
    origin: `Software Heritage swh:1:rev:${pin.commit}`,
    bring: async () =>
      fetchFromSoftwareHeritage({
        root: root ?? "",
        commit: pin.commit,
        repository,
        folder: join(request.temporaryFolder, "vault"),
        emit: request.emit,
        ...(request.signal && { signal: request.signal }),
      }),
  };
  return [...forks, place("upstream", source.upstream), ...(root === undefined ? [] : [archive])];
}

async function importPinned(request: FetchRequest, packageName: string): Promise<void> {
  const { pin, source } = request;
  if (!pin.debian)
    throw usageError(`the release pins no Debian source package of ${source.source}`, {
      hint: "refoundry pin writes the pins",
    });
  const imported = await importDebianSource({
    ...request,
    package: packageName,
    version: pin.debian.version,
    files: pin.debian.files,
  });
  if (imported.commit !== pin.commit) {
    throw mismatch(
      `importing ${packageName} ${pin.debian.version} gives the commit ${imported.commit}, and the release pins ${pin.commit}`,
    );
  }
}

async function verifyTree(repository: BareRepository, { pin, source }: FetchRequest): Promise<void> {
  const tree = await repository.treeOf(pin.commit);
  if (tree === pin.tree) return;
  throw mismatch(
    `the commit ${pin.commit} of ${source.source} has the tree ${tree}, and the release pins ${pin.tree}`,
    {
      hint: "commit and tree do not belong together: the release was edited by hand, or written for another source",
    },
  );
}
