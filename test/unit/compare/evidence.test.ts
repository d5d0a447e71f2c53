import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { showBinary } from "../../../src/compare/evidence/binary.ts";
import { showContent, showDocument } from "../../../src/compare/evidence/show.ts";
import { showText } from "../../../src/compare/evidence/text.ts";
import { evidenceLimits, type Shown, type TextHunk } from "../../../src/compare/evidence/types.ts";

type Text = Extract<Shown, { readonly kind: "text" }>;
type Binary = Extract<Shown, { readonly kind: "binary" }>;

function text(left: string, right: string): Text {
  const shown = showText(Buffer.from(left), Buffer.from(right));
  if (shown?.kind !== "text") throw new Error("no text");
  return shown;
}

function binary(left: Buffer, right: Buffer): Binary {
  const shown = showBinary(left, right);
  if (shown.kind !== "binary") throw new Error("no bytes");
  return shown;
}

/** What a hunk says of one side, and from which line. */
function sideOf(hunk: TextHunk, side: "left" | "right"): { start: number; lines: string[] } {
  const lines = hunk.rows.flatMap((row) => (row[side] === undefined ? [] : [row[side]]));
  return { start: side === "left" ? hunk.leftStart : hunk.rightStart, lines };
}

/** The right text, made of the left one and the hunks. */
function applied(left: string, hunks: readonly TextHunk[]): string {
  const lines = left.split("\n");
  const result: string[] = [];
  let at = 0;
  for (const hunk of hunks) {
    const [before, after] = [sideOf(hunk, "left"), sideOf(hunk, "right")];
    result.push(...lines.slice(at, before.start - 1));
    expect(lines.slice(before.start - 1, before.start - 1 + before.lines.length)).toEqual(before.lines);
    expect(result.length).toBe(after.start - 1);
    result.push(...after.lines);
    at = before.start - 1 + before.lines.length;
  }
  return [...result, ...lines.slice(at)].join("\n");
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, at) => `line ${at + 1}`);

/** A random number generator that gives the same numbers in every run (xorshift32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

describe("texts", () => {
  test("one changed line has three lines of context on both sides", () => {
    const left = numbered(40);
    const { hunks, truncated } = text(left.join("\n"), left.with(19, "other").join("\n"));
    expect(truncated).toBe(false);
    expect(hunks).toEqual([
      {
        leftStart: 17,
        rightStart: 17,
        rows: [
          { left: "line 17", right: "line 17" },
          { left: "line 18", right: "line 18" },
          { left: "line 19", right: "line 19" },
          { left: "line 20", right: "other" },
          { left: "line 21", right: "line 21" },
          { left: "line 22", right: "line 22" },
          { left: "line 23", right: "line 23" },
        ],
      },
    ]);
  });

  test("hunks whose context would meet are one, and later ones know how far the sides have moved", () => {
    const left = numbered(60);
    const right = left.toSpliced(10, 0, "new a", "new b").with(18, "near").with(50, "far");
    const { hunks } = text(left.join("\n"), right.join("\n"));
    expect(hunks.map(({ leftStart, rightStart }) => [leftStart, rightStart])).toEqual([
      [8, 8],
      [46, 48],
    ]);
    expect(applied(left.join("\n"), hunks)).toBe(right.join("\n"));
  });

  test("a missing newline at the end, and an empty text, are differences that are seen", () => {
    expect(text("a\n", "a").hunks[0]?.rows.at(-1)).toEqual({ left: "" });
    expect(text("", "a\nb").hunks[0]?.rows).toEqual([{ left: "", right: "a" }, { right: "b" }]);
    expect(text("a\r\n", "a\n").hunks[0]?.rows[0]).toEqual({ left: "a\r", right: "a" });
  });

  test("any two small texts: the hunks turn one into the other, and only rows that differ differ", () => {
    const lines = fc.array(fc.constantFrom("a", "b", "c", "", "é"), { maxLength: 30 }).map((all) => all.join("\n"));
    fc.assert(
      fc.property(lines, lines, (left, right) => {
        const shown = text(left, right);
        expect(shown.truncated).toBe(false);
        expect(applied(left, shown.hunks)).toBe(right);
        expect(shown.hunks.length === 0).toBe(left === right);
        expect(showText(Buffer.from(left), Buffer.from(right))).toEqual(shown);
      }),
    );
  });

  test("a long line is cut to where it differs", () => {
    const start = "x".repeat(5000);
    const [row] = text(`${start}one${start}`, `${start}two${start}`).hunks[0]?.rows ?? [];
    for (const [line, word] of [
      [row?.left, "one"],
      [row?.right, "two"],
    ] as const) {
      expect(line?.length).toBeLessThanOrEqual(evidenceLimits.lineCharacters);
      expect(line).toMatch(new RegExp(`^…x+${word}x+…$`));
    }
  });

  test("no line is too long, no cut divides a character, and lines that differ stay different", () => {
    const part = fc.oneof(
      fc.constantFrom("a", "🦀", "é").chain((of) => fc.nat(500).map((times) => of.repeat(times))),
      fc.constantFrom("", "…", "🦀", "b"),
    );
    const line = fc.array(part, { maxLength: 4 }).map((all) => all.join(""));
    fc.assert(
      fc.property(line, line, (left, right) => {
        for (const row of text(left, right).hunks.flatMap(({ rows }) => rows)) {
          expect(row.left).not.toBe(row.right);
          for (const shown of [row.left ?? "", row.right ?? ""]) {
            expect(shown.length).toBeLessThanOrEqual(evidenceLimits.lineCharacters);
            expect(shown.isWellFormed()).toBe(true);
          }
        }
      }),
    );
  });

  test("texts that have nothing in common are shown as far as there are rows", () => {
    const left = Array.from({ length: 20_000 }, (_, at) => `left ${at}`).join("\n");
    const shown = text(left, left.replaceAll("left", "right"));
    expect(shown.truncated).toBe(true);
    expect(shown.hunks[0]?.rows[0]).toEqual({ left: "left 0", right: "right 0" });
    const rows = shown.hunks.reduce((sum, hunk) => sum + hunk.rows.length, 0);
    expect(rows).toBeGreaterThan(100);
    expect(rows).toBeLessThanOrEqual(evidenceLimits.rows);
  });

  test("of many hunks the first are shown", () => {
    const left = numbered(1000);
    const right = left.map((line, at) => (at % 20 === 0 ? `${line}!` : line));
    const shown = text(left.join("\n"), right.join("\n"));
    expect(shown.hunks).toHaveLength(evidenceLimits.hunks);
    expect(shown.truncated).toBe(true);
    expect(shown.hunks.at(-1)?.rows.some((row) => row.right === "line 381!")).toBe(true);
  });

  test("a difference far into a long text has its line numbers, and no other is made up at the end of what is looked at", () => {
    const left = numbered(200_000);
    const right = left.toSpliced(150_000, 0, "inserted");
    const { hunks, truncated } = text(left.join("\n"), right.join("\n"));
    expect(truncated).toBe(true);
    expect(hunks).toHaveLength(1);
    expect(hunks[0]?.rightStart).toBe(149_998);
    expect(hunks[0]?.rows.filter((row) => row.left !== row.right)).toEqual([{ right: "inserted" }]);
  });

  test("a difference far into one long line is shown", () => {
    const start = `first\n${"é".repeat(600_000)}`;
    const { hunks } = text(`${start}a`, `${start}b`);
    expect(hunks[0]?.leftStart).toBe(2);
    expect(hunks[0]?.rows[0]?.left).toMatch(/^…é+a$/);
    expect(hunks[0]?.rows[0]?.right).toMatch(/^…é+b$/);
  });

  test.each([
    ["a NUL", Buffer.from("a\0b")],
    ["a NUL far away", Buffer.from(`a${"x".repeat(2_000_000)}\0`)],
    ["what is not UTF-8", Buffer.from([0x61, 0xff])],
    ["a character that is cut off", Buffer.from("é").subarray(0, 1)],
    ["control characters", Buffer.from("a\u0001b")],
  ])("%s is no text, on either side", (_, bytes) => {
    expect(showText(bytes, Buffer.from("a"))).toBeUndefined();
    expect(showText(Buffer.from("a"), bytes)).toBeUndefined();
    expect(showContent(bytes, Buffer.from("a")).kind).toBe("binary");
  });

  test("documents are shown line by line", () => {
    const json = (value: unknown): string => JSON.stringify(value, null, 2);
    const shown = showDocument(json({ a: 1, b: ["x"] }), json({ a: 2, b: ["x"] }));
    expect(shown).toMatchObject({ kind: "text", truncated: false });
    expect((shown as Text).hunks[0]?.rows[1]).toEqual({ left: '  "a": 1,', right: '  "a": 2,' });
  });
});

describe("hostile pairs are bounded", () => {
  const random = randomFrom(7);
  const letters = (count: number, kinds: number): string =>
    Array.from({ length: count }, () => String.fromCharCode(97 + Math.floor(random() * kinds))).join("\n");
  test.each<[string, string, string]>([
    ["newlines against letters", "\n".repeat(500_000), "a\n".repeat(250_000)],
    ["two letters at random", letters(250_000, 2), letters(250_000, 2)],
    ["many letters at random", letters(5000, 20), letters(5000, 20)],
    ["a period and another", "a\nb\n".repeat(60_000), "a\nb\nc\n".repeat(60_000)],
    ["backwards", numbered(30_000).join("\n"), numbered(30_000).toReversed().join("\n")],
  ])("%s", (_, left, right) => {
    const shown = text(left, right);
    expect(shown).toEqual(text(left, right));
    expect(shown.hunks.length).toBeGreaterThan(0);
    expect(shown.hunks.length).toBeLessThanOrEqual(evidenceLimits.hunks);
    expect(shown.hunks.reduce((sum, { rows }) => sum + rows.length, 0)).toBeLessThanOrEqual(evidenceLimits.rows);
    expect(shown.hunks.flatMap(({ rows }) => rows).some((row) => row.left !== row.right)).toBe(true);
  });
});

describe("bytes", () => {
  test("a window begins a row before the row that differs", () => {
    const left = Buffer.alloc(200);
    const right = Buffer.from(left);
    right[100] = 0xff;
    const shown = binary(left, right);
    expect(shown.truncated).toBe(false);
    expect(shown.windows.map(({ offset, right: hex }) => [offset, hex.length / 2])).toEqual([[80, 64]]);
    expect(shown.windows[0]?.right.slice(40, 42)).toBe("ff");
    expect(shown.windows[0]?.left).toBe("00".repeat(64));
  });

  test("windows that touch are one, and those far apart are not", () => {
    const left = Buffer.alloc(1000);
    const right = Buffer.from(left);
    for (const at of [0, 70, 500]) right[at] = 1;
    expect(binary(left, right).windows.map(({ offset, left: hex }) => [offset, hex.length / 2])).toEqual([
      [0, 128],
      [480, 64],
    ]);
  });

  test("what only the longer content has differs, the shorter has nothing there", () => {
    const shown = binary(Buffer.alloc(40), Buffer.alloc(60));
    expect(shown.windows).toEqual([{ offset: 16, left: "00".repeat(24), right: "00".repeat(44) }]);
    expect(binary(Buffer.alloc(0), Buffer.from("a")).windows).toEqual([{ offset: 0, left: "", right: "61" }]);
    expect(binary(Buffer.alloc(8192), Buffer.alloc(8192)).windows).toEqual([]);
  });

  test("every byte that differs is in a window, or the rest is said to be left out", () => {
    const bytes = fc.uint8Array({ maxLength: 3000 });
    const flips = fc.array(fc.tuple(fc.nat(2999), fc.integer({ min: 1, max: 255 })), { maxLength: 40 });
    fc.assert(
      fc.property(bytes, flips, fc.nat(3000), (content, changes, end) => {
        const left = Buffer.from(content);
        const right = Buffer.from(content.slice(0, end));
        for (const [at, by] of changes) if (at < right.length) right[at] = (right[at] ?? 0) ^ by;
        const { windows, truncated } = binary(left, right);
        const covered = (at: number): boolean =>
          windows.some(
            ({ offset, left: a, right: b }) => at >= offset && at < offset + Math.max(a.length, b.length) / 2,
          );
        const differing = Array.from(left.keys()).filter((at) => left[at] !== right[at]);
        if (!truncated) expect(differing.every(covered)).toBe(true);
        else expect(differing.some((at) => !covered(at))).toBe(true);
        for (const { offset, left: a, right: b } of windows) {
          expect(offset % 16).toBe(0);
          expect(a).toBe(left.toString("hex", offset, offset + a.length / 2));
          expect(b).toBe(right.toString("hex", offset, offset + b.length / 2));
        }
        const size = windows.reduce((sum, { left: a, right: b }) => sum + Math.max(a.length, b.length) / 2, 0);
        expect(size).toBeLessThanOrEqual(evidenceLimits.windows * evidenceLimits.windowBytes);
      }),
    );
  });
});

test("whatever the bytes, showing them throws nothing", () => {
  const random = randomFrom(3);
  const sample = Buffer.from(`${numbered(60).join("\n")}\n${"é🦀".repeat(300)}\n\u0000\u0001`);
  for (let cut = 0; cut <= sample.length; cut += 1) showContent(sample, sample.subarray(0, cut));
  for (let round = 0; round < 2000; round += 1) {
    const other = Buffer.from(sample.subarray(0, Math.floor(random() * sample.length)));
    for (let flips = 0; flips < 3; flips += 1)
      if (other.length > 0) other[Math.floor(random() * other.length)] = Math.floor(random() * 256);
    showContent(other, sample);
  }
});
