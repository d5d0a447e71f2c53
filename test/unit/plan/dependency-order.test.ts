import fc from "fast-check";
import { expect, test } from "vitest";
import { inDependencyOrder } from "../../../src/plan/dependency-order.ts";

const ids = (items: readonly { readonly id: string }[]): string[] => items.map(({ id }) => id);

test("what is needed comes first, else the order stays", () => {
  const items = [
    { id: "app", dependsOn: ["base", "elsewhere"] },
    { id: "other", dependsOn: [] },
    { id: "base", dependsOn: [] },
  ];
  expect(ids(inDependencyOrder(items))).toEqual(["base", "app", "other"]);
});

test("a circle is named", () => {
  const items = [
    { id: "x", dependsOn: ["a"] },
    { id: "a", dependsOn: ["b"] },
    { id: "b", dependsOn: ["a"] },
  ];
  expect(() => inDependencyOrder(items)).toThrow("a circle: a -> b -> a");
});

test("every item comes once, after all that it depends on, whatever the graph", () => {
  const graph = fc
    .uniqueArray(fc.nat(30), { minLength: 1 })
    .chain((numbers) =>
      fc.tuple(
        ...numbers.map((number) =>
          fc
            .subarray(numbers.filter((other) => other < number).map(String))
            .map((dependsOn) => ({ id: String(number), dependsOn })),
        ),
      ),
    );
  fc.assert(
    fc.property(graph, (items) => {
      const order = ids(inDependencyOrder(items));
      expect(order.toSorted()).toEqual(ids(items).toSorted());
      for (const { id, dependsOn } of items)
        for (const needed of dependsOn) expect(order.indexOf(needed)).toBeLessThan(order.indexOf(id));
    }),
  );
});
