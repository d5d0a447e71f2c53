import type { Digest } from "../digest.ts";
import type { Descriptor } from "../types.ts";

/** Referrers of one subject that wait to be listed, and who writes the list. */
interface Listing {
  readonly waiting: Map<Digest, Descriptor>;
  /** Ends when the one before has written. */
  turn: Promise<void>;
}

/** The lists of referrers that a client is writing, by repository and subject. */
export type Listings = Map<string, Listing>;
