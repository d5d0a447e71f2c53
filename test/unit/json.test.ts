import fc from "fast-check";
import { expect, test } from "vitest";
import { prettyJson } from "../../src/json.ts";

const written = (value: unknown): string => [...prettyJson(value)].join("");

test("in pieces, JSON is what JSON.stringify gives", () => {
  const values = fc.jsonValue({ maxDepth: 5 });
  fc.assert(fc.property(values, (value) => written(value) === JSON.stringify(value, null, 2)));
});

test("what JSON leaves out is left out, and a date is a text", () => {
  const odd = { a: undefined, b: [undefined, { c: undefined, d: () => 1 }], e: new Date(0), f: "a\nb", g: {}, h: [] };
  for (const value of [odd, [odd], { odd }, { first: undefined }, [undefined], new Date(0)])
    expect(written(value)).toBe(JSON.stringify(value, null, 2));
});

test("members of a list may be made when they are written, a few bytes at a time", () => {
  let made = 0;
  const pieces = prettyJson({
    list: {
      *[Symbol.iterator]() {
        for (; made < 1000; made += 1) yield { made };
      },
    },
  });
  pieces.next();
  pieces.next();
  expect(made).toBe(0);
  const rest = [...pieces];
  expect(JSON.parse(`{"list":[${rest.join("")}`).list).toHaveLength(1000);
  expect(Math.max(...rest.map((piece) => piece.length))).toBeLessThan(100);
});
