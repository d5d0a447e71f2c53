import type { NightlyRelease } from "../nightly-run.ts";
import { digestOf } from "../oci/digest.ts";
import type { Store } from "../store/store.ts";

/** A run that was begun, here or by a process that was stopped. */
export interface Journal {
  readonly id: string;
  /** RFC 3339. */
  readonly startedAt: string;
  /** Whether this goes on with a run that was cut off. */
  readonly resumed: boolean;
  /** What was planned when the run began; plans now where that is not known. */
  planned<T>(plan: () => Promise<T>): Promise<T>;
  /** What was done of a release (`recipe@version`), unless trying again may help. */
  find(release: string): NightlyRelease | undefined;
  /** Keeps what was done, in one step. */
  keep(release: NightlyRelease): Promise<void>;
  /** The run is over: the next of the day begins anew. */
  finish(): Promise<void>;
}

interface JournalRecord {
  readonly id: string;
  readonly startedAt: string;
  readonly state: "running" | "finished";
  readonly done: Readonly<Record<string, NightlyRelease>>;
  readonly plan?: unknown;
}

const kind = "nightly";

/**
 * Opens the day's run of a scope (what was asked for, as one text) in the store: the one
 * that was cut off, or with `fresh` and where there is none a new one.
 */
export async function openJournal(
  store: Store,
  scope: string,
  now: Date,
  options: { readonly fresh: boolean },
): Promise<Journal> {
  const startedAt = now.toISOString().replace(/\.\d+Z$/, "Z");
  const key = digestOf(`${startedAt.slice(0, 10)}\n${scope}`);
  const found = options.fresh ? undefined : await store.readRecord<JournalRecord>(kind, key);
  const resumed = found?.state === "running";
  const empty: JournalRecord = { id: startedAt.replaceAll(":", ""), startedAt, state: "running", done: {} };
  let record = resumed ? found : empty;
  let writing: Promise<void> = resumed ? Promise.resolve() : store.writeRecord(kind, key, record);
  // one write after another, or an older state could come to lie over a newer one
  const change = (next: Partial<JournalRecord>): Promise<void> => {
    record = { ...record, ...next };
    const latest = record;
    writing = writing.then(() => store.writeRecord(kind, key, latest));
    return writing;
  };
  await writing;
  return {
    id: record.id,
    startedAt: record.startedAt,
    resumed,
    async planned<T>(plan: () => Promise<T>) {
      // what was due when the run began is due still, whatever the part that is done would say now
      if (record.plan !== undefined) return record.plan as T;
      const made = await plan();
      await change({ plan: made });
      return made;
    },
    find(release) {
      const done = record.done[release];
      const mayPass = done?.failure?.errorClass === "infra" || done?.failure?.errorClass === "fetch";
      return mayPass ? undefined : done;
    },
    keep: (release) => change({ done: { ...record.done, [`${release.recipe}@${release.version}`]: release } }),
    finish: () => change({ state: "finished" }),
  };
}
