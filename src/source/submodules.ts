import { join } from "node:path";
import { infrastructureError, messageOf, mismatch, RefoundryError, usageError } from "../errors.ts";
import type { Emit } from "../events.ts";
import type { BareRepository } from "../git/repository.ts";
import { type Gitlink, type Submodule, walkSubmodules } from "../git/submodules.ts";
import type { Source, SourcePin } from "../recipe/schema.ts";
import { validateSourceUrl } from "../recipe/source-url.ts";
import { fetchFromSoftwareHeritage } from "./software-heritage.ts";

/** What bringing a source's submodules needs. */
export interface SubmoduleRequest {
  readonly source: Source;
  readonly commit: string;
  readonly temporaryFolder: string;
  /** Nothing is fetched: what is not there is missing. */
  readonly offline: boolean;
  /** Root address of Software Heritage's site, asked last where there is one. */
  readonly softwareHeritage?: string | undefined;
  readonly emit: Emit;
  readonly signal?: AbortSignal;
}

/**
 * Brings the submodules of a commit, and theirs, into the same repository: each from the
 * forks that the source names for its path, then from where `.gitmodules` says, relative
 * addresses being meant beside our forks first. They are pinned by the commit's tree. Throws
 * a usage error for a source that does not say it wants them.
 */
export async function bringSubmodules(
  repository: BareRepository,
  request: SubmoduleRequest,
): Promise<readonly Submodule[]> {
  const { source, commit, signal } = request;
  const base: readonly string[] = [...source.forks, source.upstream];
  return walkSubmodules(
    repository,
    { commit, base },
    async (link, path, above) => {
      if (source.submodules === undefined)
        throw usageError(`the source ${source.source} has a submodule, ${path}`, {
          hint: `submodules: {} in vendor-sources/${source.source}.yaml takes them, with forks by path where there are any; then pin it`,
        });
      const urls = placesOf(link, path, above, source);
      if (!(await repository.hasCommit(link.commit))) await fetchSubmodule(repository, link, path, urls, request);
      return urls;
    },
    signal,
  );
}

/**
 * Where each submodule of a commit may be had, by its path: the addresses that
 * {@link bringSubmodules} asks. All of them are in the repository already; nothing is fetched.
 */
export async function submoduleAddresses(
  repository: BareRepository,
  { source, commit, signal }: Pick<SubmoduleRequest, "source" | "commit" | "signal">,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const addresses = new Map<string, readonly string[]>();
  const note = (link: Gitlink, path: string, above: readonly string[]): Promise<readonly string[]> => {
    const urls = placesOf(link, path, above, source);
    addresses.set(path, urls);
    return Promise.resolve(urls);
  };
  await walkSubmodules(repository, { commit, base: [...source.forks, source.upstream] }, note, signal);
  return addresses;
}

/** Throws a mismatch error where the submodules are not those that a release pins. */
export function checkSubmodules(found: readonly Submodule[], { submodules = [] }: Pick<SourcePin, "submodules">): void {
  const textOf = ({ path, commit, tree }: Submodule): string => `${path} at ${commit} (tree ${tree})`;
  const [is, pinned] = [found.map(textOf), submodules.map(textOf)];
  const other = is.find((each) => !pinned.includes(each)) ?? pinned.find((each) => !is.includes(each));
  if (other !== undefined) throw mismatch(`the submodules are not those that the release pins: ${other}`);
}

function placesOf({ url }: Gitlink, path: string, above: readonly string[], { submodules }: Source): string[] {
  const forks = submodules?.[path]?.forks ?? [];
  const named = url === undefined ? [] : addressesOf(url, above);
  return [...new Set([...forks, ...named])];
}

/** What `.gitmodules` names may be anything: only addresses that git may see, and a path of this machine only beside another. */
function addressesOf(url: string, above: readonly string[]): string[] {
  const isRelative = /^\.\.?(\/|$)/.test(url);
  const addresses = isRelative ? above.flatMap((base) => resolveBeside(base, url) ?? []) : [url];
  return addresses.filter(
    (address) => validateSourceUrl(address) === undefined && (isRelative || !/^file:/i.test(address)),
  );
}

/** git-submodule(1): a relative address is meant from the repository that names it. */
export function resolveBeside(base: string, relative: string): string | undefined {
  const root = /^([a-z]+:\/\/[^/]*|[^/:]+@[^/:]+:)/.exec(base)?.[0];
  if (root === undefined) return undefined;
  const path = base
    .slice(root.length)
    .split("/")
    .filter((name) => name !== "");
  for (const name of relative.split("/")) {
    if (name === "" || name === ".") continue;
    if (name !== "..") path.push(name);
    else if (path.pop() === undefined) return undefined;
  }
  return root.endsWith(":") ? root + path.join("/") : `${root}/${path.join("/")}`;
}

async function fetchSubmodule(
  repository: BareRepository,
  { commit }: Gitlink,
  path: string,
  urls: readonly string[],
  { source, temporaryFolder, offline, softwareHeritage: root, emit, signal }: SubmoduleRequest,
): Promise<void> {
  if (offline)
    throw infrastructureError(
      `the commit ${commit} of ${source.source}'s submodule ${path} is neither in the store nor in the escrow, and nothing else is asked offline`,
      { hint: "refoundry vendor RECIPE --escrow REF, where there is a network, puts it there" },
    );
  const archive = async (): Promise<void> => {
    const folder = join(temporaryFolder, `vault-${commit}`);
    await fetchFromSoftwareHeritage({ root: root ?? "", commit, repository, folder, emit, ...(signal && { signal }) });
  };
  const failures: string[] = [];
  const places = urls.map((url) => ({ name: url, bring: () => repository.fetchCommit(url, commit) }));
  if (root !== undefined) places.push({ name: "Software Heritage", bring: archive });
  for (const { name, bring } of places) {
    emit({ type: "stage-progress", stage: "source", doing: `fetching the submodule ${path} from ${name}` });
    try {
      await bring();
      return;
    } catch (error) {
      if (!(error instanceof RefoundryError) || error.kind !== "infrastructure") throw error;
      failures.push(messageOf(error));
    }
  }
  throw infrastructureError(
    `the submodule ${path} of ${source.source} cannot be had from anywhere:\n${failures.join("\n") || "nothing names an address that can be used"}`,
    { hint: `name a fork of it in vendor-sources/${source.source}.yaml: submodules: { ${path}: { forks: [URL] } }` },
  );
}
