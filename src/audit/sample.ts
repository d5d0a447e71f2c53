import { digestOf } from "../oci/digest.ts";

/**
 * Some of many, others each day, so that all come round: by a hash of what each is called
 * and the day (`YYYY-MM-DD`). The same day gives the same ones.
 */
export function sampleOfDay<T extends { readonly release: string }>(
  all: readonly T[],
  count: number,
  day: string,
): T[] {
  const rank = ({ release }: T): string => digestOf(`${day} ${release}`);
  return all.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1)).slice(0, count);
}
