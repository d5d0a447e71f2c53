import { usageError } from "../errors.ts";

/** Something that has to come after others. */
export interface Dependent {
  readonly id: string;
  /** Ids; those that are not among the items are taken to be there already. */
  readonly dependsOn: readonly string[];
}

/**
 * Items so that each comes after what it depends on, else in the order in which they are
 * given. Throws a usage error that names the circle when there is one.
 */
export function inDependencyOrder<T extends Dependent>(items: readonly T[]): T[] {
  const byId = new Map(items.map((item) => [item.id, item]));
  const ordered = new Set<T>();
  const visit = (item: T, above: readonly string[]): void => {
    if (ordered.has(item)) return;
    if (above.includes(item.id)) {
      const circle = [...above.slice(above.indexOf(item.id)), item.id];
      throw usageError(`releases need each other in a circle: ${circle.join(" -> ")}`);
    }
    for (const id of item.dependsOn) {
      const needed = byId.get(id);
      if (needed) visit(needed, [...above, item.id]);
    }
    ordered.add(item);
  };
  for (const item of items) visit(item, []);
  return [...ordered];
}
