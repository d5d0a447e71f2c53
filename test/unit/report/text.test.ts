import fc from "fast-check";
import { expect, test } from "vitest";
import { cut, formatSeconds, plainLog, plainText, widthOf, wrap } from "../../../src/report/text.ts";

const nasty = fc.string({
  unit: fc.constantFrom(
    "\u001b",
    "[",
    "]",
    "0",
    ";",
    "m",
    "\u0007",
    "\u009b",
    "\r",
    "\n",
    "\t",
    "\u202e",
    "\ud800",
    "a",
  ),
});

test("text for a line has no control character and nothing that reorders it", () => {
  fc.assert(
    fc.property(nasty, (text) => {
      const shown = plainText(text);
      expect(shown).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
      expect(shown.isWellFormed()).toBe(true);
    }),
  );
});

test("sequences go whole, and words stay", () => {
  expect(plainText("\u001b[1;31mred\u001b[0m \u001b]0;window title\u0007end")).toBe("red end");
  expect(plainText("\u001b]8;;http://example.invalid\u001b\\link\u001b]8;;\u001b\\")).toBe("link");
  // what is left when one sequence hides in another cannot drive anything
  expect(plainText("\u001b[\u001b[0m31mtext")).toBe(" [31mtext");
});

test("a log keeps its lines and tabs, and a redrawn line becomes lines", () => {
  expect(plainLog("a\tb\r\n10%\r20%\n\u001b[32mok\u001b[0m\u0008")).toBe("a\tb\n10%\n20%\nok\ufffd");
  fc.assert(
    fc.property(nasty, (text) => {
      expect(plainLog(text)).not.toMatch(/[^\P{Cc}\n\t]/u);
    }),
  );
});

test("hostile text takes no time to clean", () => {
  const startedAt = performance.now();
  for (const text of ["\u001b[".repeat(200_000), "\u001b]".repeat(200_000), `\u001b]${"x".repeat(400_000)}`])
    plainLog(text);
  expect(performance.now() - startedAt).toBeLessThan(3000);
});

test("a cut line is never wider than asked, and only what did not fit goes", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.nat({ max: 40 }), (text, width) => {
      expect(widthOf(cut(text, width))).toBeLessThanOrEqual(Math.max(width, 0));
      if (widthOf(text) <= width) expect(cut(text, width)).toBe(text);
    }),
  );
  expect(cut("構築構築", 5)).toBe("構築…");
});

test("wrapping keeps every word and no line is wider but for one word", () => {
  fc.assert(
    fc.property(
      fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1 }),
      fc.integer({ min: 4, max: 30 }),
      (words, width) => {
        const lines = wrap(words.join(" "), width);
        expect(lines.join(" ")).toBe(words.join(" "));
        for (const line of lines) if (line.includes(" ")) expect(line.length).toBeLessThanOrEqual(width);
      },
    ),
  );
});

test.each([
  [0.0999, "0.1 s"],
  [9.96, "10 s"],
  [59.6, "1 min 0 s"],
  [3599.9, "60 min 0 s"],
])("%d seconds, at an edge, are %s", (seconds, text) => {
  expect(formatSeconds(seconds)).toBe(text);
});
