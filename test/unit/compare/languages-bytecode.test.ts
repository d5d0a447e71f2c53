import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ContentClass } from "../../../src/compare/classes/class.ts";
import { languageClasses } from "../../../src/compare/classes/languages/family.ts";

/**
 * def f(a):
 *     if a in {"one", "two", None}:
 *         return lambda: (a, 300)
 * class K:
 *     def m(self): return f(self)
 *
 * compiled by CPython 3.8 as /a/s.py, source of 2020, and as /bb/c/s.py, source of 2023, under
 * two hash seeds; and by CPython 3.13 as /a/s.py.
 */
const python38 = Buffer.from(
  "VQ0NCgAAAAAA4QtedQAAAOMAAAAAAAAAAAAAAAAAAAAAAwAAAEAAAABzGgAAAGQAZAGEAFoARwBkAmQDhABkA4MCWgFkBFMA" +
    "KQVjAQAAAAAAAAAAAAAAAQAAAAMAAAADAAAAcxgAAACIAGQBawZyFIcAZgFkAmQDhAhTAGQAUwApBE4+AwAAANoDdHdv2gNv" +
    "bmVOYwAAAAAAAAAAAAAAAAAAAAACAAAAEwAAAHMIAAAAiABkAWYCUwApAk5pLAEAAKkAcgMAAACpAdoBYXIDAAAA+gcvYS9z" +
    "LnB52gg8bGFtYmRhPgMAAADzAAAAAHoTZi48bG9jYWxzPi48bGFtYmRhPnIDAAAAcgQAAAByAwAAAHIEAAAAcgYAAADaAWYB" +
    "AAAAcwQAAAAAAQgBcgkAAABjAAAAAAAAAAAAAAAAAAAAAAIAAABAAAAAcxQAAABlAFoBZABaAmQBZAKEAFoDZANTACkE2gFL" +
    "YwEAAAAAAAAAAAAAAAEAAAACAAAAQwAAAHMIAAAAdAB8AIMBUwApAU4pAXIJAAAAKQHaBHNlbGZyAwAAAHIDAAAAcgYAAADa" +
    "AW0FAAAAcggAAAB6A0subU4pBNoIX19uYW1lX1/aCl9fbW9kdWxlX1/aDF9fcXVhbG5hbWVfX3IMAAAAcgMAAAByAwAAAHID" +
    "AAAAcgYAAAByCgAAAAQAAABzAgAAAAgBcgoAAABOKQJyCQAAAHIKAAAAcgMAAAByAwAAAHIDAAAAcgYAAADaCDxtb2R1bGU+" +
    "AQAAAHMCAAAACAM=",
  "base64",
);
const otherPython38 = Buffer.from(
  "VQ0NCgAAAAAA8VNldQAAAOMAAAAAAAAAAAAAAAAAAAAAAwAAAEAAAABzGgAAAGQAZAGEAFoARwBkAmQDhABkA4MCWgFkBFMA" +
    "KQVjAQAAAAAAAAAAAAAAAQAAAAMAAAADAAAAcxgAAACIAGQBawZyFIcAZgFkAmQDhAhTAGQAUwApBE4+AwAAANoDb25l2gN0" +
    "d29OYwAAAAAAAAAAAAAAAAAAAAACAAAAEwAAAHMIAAAAiABkAWYCUwApAk5pLAEAAKkAcgMAAACpAdoBYXIDAAAA+govYmIv" +
    "Yy9zLnB52gg8bGFtYmRhPgMAAADzAAAAAHoTZi48bG9jYWxzPi48bGFtYmRhPnIDAAAAcgQAAAByAwAAAHIEAAAAcgYAAADa" +
    "AWYBAAAAcwQAAAAAAQgBcgkAAABjAAAAAAAAAAAAAAAAAAAAAAIAAABAAAAAcxQAAABlAFoBZABaAmQBZAKEAFoDZANTACkE" +
    "2gFLYwEAAAAAAAAAAAAAAAEAAAACAAAAQwAAAHMIAAAAdAB8AIMBUwApAU4pAXIJAAAAKQHaBHNlbGZyAwAAAHIDAAAAcgYA" +
    "AADaAW0FAAAAcggAAAB6A0subU4pBNoIX19uYW1lX1/aCl9fbW9kdWxlX1/aDF9fcXVhbG5hbWVfX3IMAAAAcgMAAAByAwAA" +
    "AHIDAAAAcgYAAAByCgAAAAQAAABzAgAAAAgBcgoAAABOKQJyCQAAAHIKAAAAcgMAAAByAwAAAHIDAAAAcgYAAADaCDxtb2R1" +
    "bGU+AQAAAHMCAAAACAM=",
  "base64",
);
const python313 = Buffer.from(
  "8w0NCgAAAAAA4QtedQAAAOMAAAAAAAAAAAAAAAAEAAAAAAAAAPMeAAAAlQBTABoAcgAYACIAUwEaAFMCNQIAAAAAAAByAWcD" +
    "KQRjAQAAAAAAAAAAAAAAAgAAAAMAAADzHgAAAF4AlQBUAFMBOwAAAGEGAABVADQBUwIaAGoIJABnACkDTj4DAAAATtoDb25l" +
    "2gN0d29jAAAAAAAAAAAAAAAAAgAAABMAAADzDAAAAD4BlQBUAFMBNAIkACkCTmksAQAAqQCpAdoBYXMBAAAAgNoHL2Evcy5w" +
    "edoIPGxhbWJkYT7aE2YuPGxvY2Fscz4uPGxhbWJkYT4DAAAAcwkAAAD4gACYAZgzkXjzAAAAAHIGAAAAcgcAAABzAQAAAGBy" +
    "CQAAANoBZnINAAAAAQAAAHMXAAAA+IAA2AcI0Awg0wcg3A8f0Agf8AMACCFyDAAAAGMAAAAAAAAAAAAAAAABAAAAAAAAAPMa" +
    "AAAAlQBcAHIBUwByAlMBcgNTAhoAcgRTA3IFZwQpBdoBS+kEAAAAYwEAAAAAAAAAAAAAAAMAAAADAAAA8xgAAACVAFsBAAAA" +
    "AAAAAABVADUBAAAAAAAAJAApAU4pAXINAAAAKQHaBHNlbGZzAQAAACByCQAAANoBbdoDSy5tBQAAAHMKAAAAgACcAZgkmweQ" +
    "HnIMAAAAcgYAAABOKQbaCF9fbmFtZV9f2gpfX21vZHVsZV9f2gxfX3F1YWxuYW1lX1/aD19fZmlyc3RsaW5lbm9fX3ITAAAA" +
    "2hVfX3N0YXRpY19hdHRyaWJ1dGVzX19yBgAAAHIMAAAAcgkAAAByDwAAAHIPAAAABAAAAHMFAAAAhgDdBB9yDAAAAHIPAAAA" +
    "TikCcg0AAAByDwAAAHIGAAAAcgwAAAByCQAAANoIPG1vZHVsZT5yGgAAAAEAAABzFAAAAPADAQEB8gICASD3BgEBIPIAAQEg" +
    "cgwAAAA=",
  "base64",
);
const path = "usr/lib/python3/__pycache__/s.cpython-38.pyc";
const context = { member: async (_name: string, bytes: Buffer) => bytes, remaining: () => 0, spend() {} };

function classOf(name: string): ContentClass {
  const found = languageClasses.find((one) => one.name === name);
  if (!found) throw new Error(name);
  return found;
}

async function normalised(name: string, bytes: Buffer, at = path): Promise<Buffer | undefined> {
  const result = await classOf(name).normalise({ path: at, bytes }, context);
  if (result === "absent") throw new Error("absent");
  return result;
}

async function allNormalised(bytes: Buffer): Promise<Buffer> {
  let current = bytes;
  for (const name of ["pyc-header", "pyc-set-order", "pyc-refs", "pyc-path"])
    current = (await normalised(name, current)) ?? current;
  return current;
}

/** With another text of the same length in the place of one. */
function replaced(bytes: Buffer, from: string, to: string): Buffer {
  const text = bytes.toString("latin1");
  expect(text.split(from).length).toBe(2);
  expect(to.length).toBe(from.length);
  return Buffer.from(
    text.replace(from, () => to),
    "latin1",
  );
}

function patched(bytes: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = value;
  return copy;
}

describe("two compilations of one source", () => {
  test("are the same once every class has normalised them", async () => {
    expect(await allNormalised(python38)).toEqual(await allNormalised(otherPython38));
  });

  test.each(["pyc-header", "pyc-set-order", "pyc-refs", "pyc-path"])("need %s for that", async (left) => {
    const names = ["pyc-header", "pyc-set-order", "pyc-refs", "pyc-path"].filter((name) => name !== left);
    const sides = [python38, otherPython38].map(async (bytes) => {
      let current: Buffer = bytes;
      for (const name of names) current = (await normalised(name, current)) ?? current;
      return current;
    });
    const [one, other] = await Promise.all(sides);
    // of references, sorting sets takes care too
    expect(one?.equals(other ?? Buffer.alloc(0))).toBe(left === "pyc-refs");
  });

  test.each(["pyc-header", "pyc-set-order", "pyc-refs", "pyc-path"])("stay as %s leaves them", async (name) => {
    const once = await normalised(name, python38);
    expect(once).toBeDefined();
    expect(await normalised(name, once ?? Buffer.alloc(0))).toEqual(once);
  });

  test("any other byte of code, names or constants stays a difference", async () => {
    const expected = await allNormalised(python38);
    const folder = python38.indexOf("/a/s.py");
    for (let at = 12; at < python38.length; at += 1) {
      if (at === folder || at === folder + 1) continue;
      const changed = await allNormalised(patched(python38, at, (python38[at] ?? 0) ^ 0x01));
      expect.soft(changed.equals(expected), `byte ${at}`).toBe(false);
    }
  });
});

describe("pyc-header", () => {
  test("keeps size, flags and magic number", async () => {
    const expected = await normalised("pyc-header", python38);
    for (const at of [0, 4, 12, 13]) {
      const changed = await normalised("pyc-header", patched(python38, at, (python38[at] ?? 0) ^ 0x02));
      expect.soft(changed?.equals(expected ?? Buffer.alloc(0)) ?? false, `byte ${at}`).toBe(false);
    }
  });

  test("has nothing to say of hashes, other flags and unknown magic numbers", async () => {
    for (const flags of [1, 2, 3, 4, 0x80])
      expect(await normalised("pyc-header", patched(python38, 4, flags))).toBeUndefined();
    expect(await normalised("pyc-header", patched(python38, 0, 0x56))).toBeUndefined();
    expect(await normalised("pyc-header", patched(python38, 2, 0x0a))).toBeUndefined();
    expect(await normalised("pyc-header", patched(python38, 16, 0x28))).toBeUndefined();
  });

  test("finds the time in the header of twelve bytes", async () => {
    const old = (time: number) =>
      Buffer.concat([Buffer.from([0x33, 0x0d, 0x0d, 0x0a, time, 1, 2, 3, 9, 0, 0, 0]), python38.subarray(16)]);
    expect(await normalised("pyc-header", old(1))).toEqual(await normalised("pyc-header", old(2)));
    expect((await normalised("pyc-header", old(1)))?.readUInt32LE(8)).toBe(9);
  });
});

describe("pyc-path", () => {
  test.each([
    ["CPython 3.8", python38],
    ["CPython 3.13", python313],
  ])("gives the same for every folder, %s", async (_, bytes) => {
    const inFolder = replaced(bytes, "/a/s.py", "/b/s.py");
    expect(await normalised("pyc-path", bytes)).toEqual(await normalised("pyc-path", inFolder));
    expect((await normalised("pyc-path", bytes))?.includes("/a/")).toBe(false);
  });

  test("needs the file's own name", async () => {
    expect(await normalised("pyc-path", replaced(python38, "/a/s.py", "/a/t.py"))).toBeUndefined();
    expect(await normalised("pyc-path", replaced(python38, "/a/s.py", "/a-s.py"))).toBeUndefined();
    expect(await normalised("pyc-path", python38, "lib/__pycache__/t.cpython-38.pyc")).toBeUndefined();
    expect(await normalised("pyc-path", python38, "lib/__pycache__/s.pyc")).toBeUndefined();
    expect(await normalised("pyc-path", python38, "lib/s.pyc")).toBeDefined();
  });

  test("has nothing to say when a constant is the very same string", async () => {
    const text = python38.toString("latin1");
    // the tuple of names of K.m refers to the source's name instead of to the function
    const at = text.indexOf(")\x01r\x09\0\0\0");
    expect(at).toBeGreaterThan(0);
    const refersTo = (index: number) => patched(python38, at + 3, index);
    expect(await normalised("pyc-path", refersTo(9))).toBeDefined();
    expect(await normalised("pyc-path", refersTo(6))).toBeUndefined();
  });
});

describe("pyc-refs", () => {
  test("takes marks that nothing uses, and keeps which objects are shared", async () => {
    const text = python38.toString("latin1");
    const at = text.indexOf("s\x08\0\0\0\x88\0d\x01f\x02S\0");
    const used = python38.indexOf(Buffer.from("\xda\x01f", "latin1"));
    const expected = await normalised("pyc-refs", python38);
    expect(at).toBeGreaterThan(0);
    // a mark more moves every index behind it by one
    const marked = patched(python38, at, 0x73 | 0x80);
    for (let from = at; from < marked.length - 5; from += 1) {
      const index = marked[from + 1] ?? 0;
      if (marked[from] === 0x72 && index >= 3 && index < 32 && marked.readUInt16LE(from + 2) === 0)
        marked[from + 1] = index + 1;
    }
    expect(await normalised("pyc-refs", marked)).toEqual(expected);
    expect(await normalised("pyc-refs", patched(python38, used, 0x5a))).not.toEqual(expected);
  });
});

describe("pyc-set-order", () => {
  /** A module without code whose constants are one set of these marshalled elements. */
  const moduleOf = (...elements: string[]): Buffer => {
    const set = `>${String.fromCharCode(elements.length)}\0\0\0${elements.join("")}`;
    const object = `c${"\0".repeat(24)}s\0\0\0\0)\x01${set})\0)\0)\0)\0z\x04s.pyz\x01m\0\0\0\0s\0\0\0\0`;
    return Buffer.concat([python38.subarray(0, 16), Buffer.from(object, "latin1")]);
  };
  const [one, two, three, none] = ["z\x01a", "i\x01\0\0\0", "i\x09\0\0\0", "N"] as const;

  test("sorts what has another hash in every process", async () => {
    const expected = await normalised("pyc-set-order", moduleOf(one, two, three));
    expect(expected).toBeDefined();
    expect(await normalised("pyc-set-order", moduleOf(three, one, two))).toEqual(expected);
    expect(await normalised("pyc-set-order", moduleOf(none, two))).toEqual(
      await normalised("pyc-set-order", moduleOf(two, none)),
    );
    expect(await normalised("pyc-set-order", moduleOf(one, two, none))).not.toEqual(expected);
  });

  test("keeps sets of numbers, and what no compiler writes", async () => {
    expect(await normalised("pyc-set-order", moduleOf(two, three))).toBeUndefined();
    expect(await normalised("pyc-set-order", moduleOf(one, one))).toBeUndefined();
    expect(await normalised("pyc-set-order", moduleOf(one, ">\0\0\0\0"))).toBeUndefined();
    expect(await normalised("pyc-set-order", python313)).toBeUndefined();
  });

  test("moves an object's definition to where it is met first", async () => {
    const [shared, reference] = ["\xda\x01b", ")\x01r\0\0\0\0"];
    const swapped = [")\x01\xda\x01b", "r\0\0\0\0"];
    expect(await normalised("pyc-set-order", moduleOf(shared, reference))).toEqual(
      await normalised("pyc-set-order", moduleOf(...swapped)),
    );
  });

  test("does not write out more than it may", async () => {
    // each tuple is eight times the one before it
    const tuples = Array.from(
      { length: 7 },
      (_, index) => `\xa9\x08${`r${String.fromCharCode(index)}\0\0\0`.repeat(8)}`,
    );
    const bomb = moduleOf("\xda\x01a", ...tuples);
    expect(await normalised("pyc-refs", bomb)).toBeDefined();
    expect(await normalised("pyc-set-order", bomb)).toBeUndefined();
  });
});

describe("hostile bytecode", () => {
  const samples = [python38, python313];

  test("cut short anywhere, it is not understood", async () => {
    for (const bytes of samples)
      for (let length = 0; length < bytes.length; length += 1)
        for (const name of ["pyc-refs", "pyc-path", "pyc-set-order"])
          expect(await normalised(name, bytes.subarray(0, length))).toBeUndefined();
    for (const bytes of samples)
      expect(await normalised("pyc-refs", Buffer.concat([bytes, Buffer.alloc(1)]))).toBeUndefined();
  });

  test("with bytes changed anywhere, it is read to its end or not at all", async () => {
    const change = fc.tuple(fc.nat(), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...samples),
        fc.array(change, { minLength: 1, maxLength: 4 }),
        async (bytes, changes) => {
          const hostile = Buffer.from(bytes);
          for (const [at, value] of changes) hostile[16 + (at % (bytes.length - 16))] = value;
          for (const name of ["pyc-header", "pyc-set-order", "pyc-refs", "pyc-path"]) {
            if (!classOf(name).applies({ path, bytes: hostile })) continue;
            const once = await normalised(name, hostile);
            if (once) expect(await normalised(name, once)).toEqual(once);
          }
        },
      ),
      { seed: 552, numRuns: 2000 },
    );
  });

  test("with a reference to what is still open, or to nothing, it is refused", async () => {
    const rest = ")\0)\0)\0)\0z\x04s.pyz\x01m\0\0\0\0s\0\0\0\0";
    const withConstants = (constants: string): Buffer => {
      const object = Buffer.from(`c${"\0".repeat(24)}s\0\0\0\0${constants}${rest}`, "latin1");
      return Buffer.concat([python38.subarray(0, 16), object]);
    };
    expect(await normalised("pyc-refs", withConstants("\xa9\x02\xda\x01ar\x01\0\0\0"))).toBeDefined();
    for (const index of ["\x00", "\x02", "\xff"]) {
      const constants = `\xa9\x02\xda\x01ar${index}\0\0\0`;
      expect(await normalised("pyc-refs", withConstants(constants))).toBeUndefined();
    }
  });

  test("nested deeper than Python reads, and with counts beyond the file, it is refused", async () => {
    const deep = Buffer.concat([
      python38.subarray(0, 16),
      Buffer.from(`c${"\0".repeat(24)}s\0\0\0\0${")\x01".repeat(5000)}N`, "latin1"),
    ]);
    expect(await normalised("pyc-refs", deep)).toBeUndefined();
    const wide = Buffer.concat([
      python38.subarray(0, 16),
      Buffer.from(`c${"\0".repeat(24)}s\0\0\0\0(\xff\xff\xff\x7fN`, "latin1"),
    ]);
    expect(await normalised("pyc-refs", wide)).toBeUndefined();
  });
});
