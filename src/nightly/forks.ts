import pLimit from "p-limit";
import { type Dispatcher, EnvHttpProxyAgent } from "undici";
import { messageOf } from "../errors.ts";
import { openBareRepository } from "../git/repository.ts";
import { createGit } from "../git/run-git.ts";
import type { Source } from "../recipe/schema.ts";
import { validateSourceUrl } from "../recipe/source-url.ts";
import { newAddressOf } from "./renamed.ts";

/** What a place of a source answers. */
export type Place =
  | { readonly state: "there" }
  /** It answers, and says that it is called otherwise now. */
  | { readonly state: "renamed"; readonly to: string }
  /** The server says that there is no such repository, or none without a login. */
  | { readonly state: "gone"; readonly said: string }
  | { readonly state: "unreachable"; readonly said: string };

/** A fork or upstream that did not answer as it should. */
export interface LostPlace {
  readonly source: string;
  readonly kind: "fork" | "upstream";
  readonly url: string;
  readonly place: Exclude<Place, { state: "there" }>;
}

const atOnce = 8;
const longestText = 300;

/**
 * What git and servers say of a repository that is not there: git for http 404 and for a
 * path that is none, and forges, which ask for a login rather than say what is private.
 */
const goneWords = [
  /repository '.*' not found/i,
  /repository not found/i,
  /does not appear to be a git repository/i,
  /could not read Username/i,
  /project you were looking for could not be found/i,
];

/** Whether what git said means that the repository is gone; everything else may pass by itself. */
export function isGone(said: string): boolean {
  return goneWords.some((words) => words.test(said));
}

/**
 * Asks every fork of some sources, and upstream where sources come from there, for its HEAD.
 * Each address is asked once, and gets `seconds` to answer.
 */
export async function askForks(
  sources: readonly Source[],
  repositoryPath: string,
  seconds: number,
  signal: AbortSignal,
): Promise<LostPlace[]> {
  const { path } = await openBareRepository(repositoryPath, signal);
  const dispatcher = new EnvHttpProxyAgent({ connections: 1 });
  const limit = pLimit(atOnce);
  const asked = new Map<string, Promise<Place>>();
  const ask = (url: string): Promise<Place> => {
    const known = asked.get(url) ?? limit(() => askPlace(url, path, seconds, dispatcher, signal));
    asked.set(url, known);
    return known;
  };
  const places = sources.flatMap(({ source, forks, upstream, import: { kind } }) => [
    ...forks.map((url) => ({ source, kind: "fork" as const, url })),
    ...(kind === "git" ? [{ source, kind: "upstream" as const, url: upstream }] : []),
  ]);
  const answers = await Promise.all(places.map(async (place) => ({ ...place, place: await ask(place.url) }))).finally(
    () => dispatcher.destroy(),
  );
  return answers.flatMap(({ place, ...rest }) => (place.state === "there" ? [] : [{ ...rest, place }]));
}

async function askPlace(
  url: string,
  repository: string,
  seconds: number,
  dispatcher: Dispatcher,
  signal: AbortSignal,
): Promise<Place> {
  const problem = validateSourceUrl(url);
  if (problem !== undefined) return { state: "unreachable", said: `its address ${problem}` };
  const limit = AbortSignal.timeout(seconds * 1000);
  try {
    // only HEAD is printed, however many branches the server names
    const git = createGit(repository, AbortSignal.any([signal, limit]));
    await git(["ls-remote", "--quiet", "--", url, "HEAD"], { remote: true });
    const to = await newAddressOf(url, dispatcher, signal);
    return to === undefined ? { state: "there" } : { state: "renamed", to };
  } catch (error) {
    if (signal.aborted) throw error;
    if (limit.aborted) return { state: "unreachable", said: `no answer within ${seconds} seconds` };
    const said = messageOf(error);
    return { state: isGone(said) ? "gone" : "unreachable", said: shorten(said) };
  }
}

function shorten(said: string): string {
  return said.replaceAll(/\s+/g, " ").trim().slice(0, longestText);
}
