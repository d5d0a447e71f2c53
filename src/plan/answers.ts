import pLimit from "p-limit";
import { type Digest, digestOf } from "../oci/digest.ts";
import type { Store } from "../store/store.ts";

/** Answers of registries: asked a few at a time, each once, and not again while they are young. */
export interface Answers {
  /**
   * The digest that `question` (`tag HOST/NAME:TAG`) has for an answer; undefined where
   * there is nothing. That is never remembered: what is not there may come any moment.
   */
  ask(question: string, ask: () => Promise<Digest | undefined>): Promise<Digest | undefined>;
  /** How many were asked for in truth. */
  asked(): number;
  /** Remembers what was asked. */
  save(): Promise<void>;
}

interface Remembered {
  readonly digest: Digest;
  /** Milliseconds. */
  readonly at: number;
}

const atOnce = 8;
const record = ["plan", digestOf("answers of registries")] as const;

/** Opens the answers that the store remembers. Those older than `maxAgeSeconds` are forgotten; `now` is in milliseconds. */
export async function openAnswers(store: Store, maxAgeSeconds: number, now: () => number = Date.now): Promise<Answers> {
  const remembered = await store.readRecord<Readonly<Record<string, Remembered>>>(...record);
  const known = new Map(Object.entries(remembered ?? {}).filter(([, { at }]) => isYoung(at, maxAgeSeconds, now())));
  const limit = pLimit(atOnce);
  const pending = new Map<string, Promise<Digest | undefined>>();
  let asked = 0;
  const askNow = async (question: string, ask: () => Promise<Digest | undefined>): Promise<Digest | undefined> => {
    const digest = await limit(async () => {
      asked += 1;
      return ask();
    });
    if (digest !== undefined) known.set(question, { digest, at: now() });
    return digest;
  };
  return {
    async ask(question, ask) {
      const found = known.get(question);
      if (found) return found.digest;
      const answer = pending.get(question) ?? askNow(question, ask);
      pending.set(question, answer);
      return answer;
    },
    asked: () => asked,
    async save() {
      if (asked > 0) await store.writeRecord(...record, Object.fromEntries(known));
    },
  };
}

/** What claims to come from the future is not believed either. */
function isYoung(at: number, maxAgeSeconds: number, now: number): boolean {
  return at <= now && now - at < maxAgeSeconds * 1000;
}
