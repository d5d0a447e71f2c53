import { setTimeout as sleep } from "node:timers/promises";
import { interrupted } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import type { Repository } from "../oci/repository.ts";
import { isManifestOrIndex } from "./tree-document.ts";

/** How many requests a registry gets in an hour. */
export interface RequestBudget {
  /** Waits until one more request may be sent. Throws when it is interrupted. */
  take(signal?: AbortSignal): Promise<void>;
}

interface BudgetOptions {
  /** Told before a wait, with its seconds. */
  readonly onWait?: (seconds: number) => void;
  /** Milliseconds of a monotonic clock. */
  readonly now?: () => number;
  readonly wait?: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
}

const hour = 3_600_000;

/** A budget of so many requests in any 60 minutes; all of them may be spent at once. */
export function createRequestBudget(perHour: number, options: BudgetOptions = {}): RequestBudget {
  const { onWait, now = () => performance.now(), wait = sleepFor } = options;
  const taken: number[] = [];
  return {
    async take(signal) {
      for (;;) {
        if (signal?.aborted) throw interrupted();
        const time = now();
        while (taken[0] !== undefined && taken[0] <= time - hour) taken.shift();
        const [oldest] = taken;
        if (oldest === undefined || taken.length < perHour) {
          taken.push(time);
          return;
        }
        const milliseconds = oldest + hour - time;
        onWait?.(Math.ceil(milliseconds / 1000));
        await wait(milliseconds, signal);
      }
    },
  };
}

async function sleepFor(milliseconds: number, signal?: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, signal && { signal }).catch(() => {
    throw interrupted();
  });
}

/**
 * A repository whose manifests are read within a budget. What registries commonly count is
 * counted: reading manifests, not asking whether one is there, and not blobs.
 */
export function limitedRepository(repository: Repository, budget: RequestBudget): Repository {
  return {
    ...repository,
    async resolve(tagOrDigest, signal) {
      await budget.take(signal);
      return repository.resolve(tagOrDigest, signal);
    },
    async find(tagOrDigest, signal) {
      await budget.take(signal);
      return repository.find(tagOrDigest, signal);
    },
    async readDocument(descriptor, signal) {
      if (isManifestOrIndex(descriptor)) await budget.take(signal);
      return repository.readDocument(descriptor, signal);
    },
  };
}

/** A repository that can say what a tag names by HEAD, which registries do not count. */
type HeadedRepository = Repository & {
  head?(tagOrDigest: string, signal?: AbortSignal): Promise<{ readonly digest: Digest } | undefined>;
};

/** What a tag names now, without reading it where the repository can say so; undefined where there is no such tag. */
export async function digestOfTag(
  repository: HeadedRepository,
  tag: string,
  signal?: AbortSignal,
): Promise<Digest | undefined> {
  const found = repository.head ? await repository.head(tag, signal) : await repository.find(tag, signal);
  return found?.digest;
}
