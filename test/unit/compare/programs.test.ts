import { existsSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { binaryClasses } from "../../../src/compare/classes/binaries/family.ts";
import { explainContents, normalForm } from "../../../src/compare/explain/normal-form.ts";
import { parseElf } from "../../../src/compare/formats/elf.ts";
import { notesOf } from "../../../src/compare/formats/elf-notes.ts";

const explain = (left: Buffer, right: Buffer) => explainContents("usr/bin/a", left, right, binaryClasses);

interface SectionInput {
  readonly name: string;
  readonly content: Buffer;
  readonly type?: number;
  readonly isLoaded?: boolean;
  /** In the segment without being loaded, as attributes of RISC-V are in one of their own. */
  readonly isInSegment?: boolean;
}

/** A little 64-bit ELF file: a loaded segment over the header and the loaded sections, then the others, then their table. */
function elfOf(sections: readonly SectionInput[]): Buffer {
  const names = ["", ...sections.map(({ name }) => name), ".shstrtab"];
  const nameTable = Buffer.from(names.map((name) => `${name}\0`).join(""));
  const all = [...sections, { name: ".shstrtab", content: nameTable, type: 3 }];
  const pieces: Buffer[] = [Buffer.alloc(64 + 56)];
  let end = 120;
  let loadedEnd = 120;
  const offsets = all.map(({ content, isLoaded, isInSegment }: SectionInput) => {
    const offset = end;
    pieces.push(content);
    end += content.length;
    if (isLoaded || isInSegment) loadedEnd = end;
    return offset;
  });
  const table = Buffer.alloc(64 * (all.length + 1));
  for (const [index, section] of all.entries()) {
    const at = 64 * (index + 1);
    const nameAt = names.slice(0, index + 1).reduce((sum, name) => sum + name.length + 1, 0);
    table.writeUInt32LE(nameAt, at);
    table.writeUInt32LE(section.type ?? 1, at + 4);
    table.writeBigUInt64LE("isLoaded" in section && section.isLoaded ? 2n : 0n, at + 8);
    table.writeBigUInt64LE(BigInt(offsets[index] ?? 0), at + 24);
    table.writeBigUInt64LE(BigInt(section.content.length), at + 32);
  }
  const bytes = Buffer.concat([...pieces, table]);
  bytes.write("\x7fELF\x02\x01\x01", 0, "latin1");
  bytes.writeUInt16LE(2, 16);
  bytes.writeUInt16LE(62, 18);
  bytes.writeBigUInt64LE(64n, 32);
  bytes.writeBigUInt64LE(BigInt(end), 40);
  for (const [value, at] of [
    [64, 52],
    [56, 54],
    [1, 56],
    [64, 58],
    [all.length + 1, 60],
    [all.length, 62],
  ] as const)
    bytes.writeUInt16LE(value, at);
  bytes.writeUInt32LE(1, 64);
  bytes.writeUInt32LE(5, 68);
  bytes.writeBigUInt64LE(BigInt(loadedEnd), 64 + 32);
  return bytes;
}

/** A note: owner, type, content. */
function note(owner: string, type: number, content: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt32LE(owner.length + 1, 0);
  head.writeUInt32LE(content.length, 4);
  head.writeUInt32LE(type, 8);
  const padded = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
  return Buffer.concat([head, padded(Buffer.from(`${owner}\0`)), padded(content)]);
}

const code: SectionInput = { name: ".text", content: Buffer.from("code that runs, and its data"), isLoaded: true };
const buildId = (byte: number): SectionInput => ({
  name: ".note.gnu.build-id",
  type: 7,
  isLoaded: true,
  content: note("GNU", 3, Buffer.alloc(20, byte)),
});
const loose = (name: string, content: string): SectionInput => ({ name, content: Buffer.from(content) });

describe("ELF files are explained", () => {
  test.each([
    ["elf-build-id", [buildId(1), code], [buildId(2), code]],
    ["elf-comment", [code, loose(".comment", "GCC: 12\0")], [code, loose(".comment", "GCC: 14.2\0")]],
    ["elf-comment", [code, loose(".comment", "GCC: 12\0"), loose(".keep", "k")], [code, loose(".keep", "k")]],
    ["elf-debuglink", [code, loose(".gnu_debuglink", "a.debug")], [code, loose(".gnu_debuglink", "other.debug")]],
    [
      "elf-debuglink",
      [code, { ...loose(".riscv.attributes", "rv64"), isInSegment: true }, loose(".gnu_debuglink", "a.debug")],
      [code, { ...loose(".riscv.attributes", "rv64"), isInSegment: true }],
    ],
    [
      "elf-debug-information",
      [code, loose(".debug_info", "/build/one"), loose(".debug_line", "x")],
      [code, loose(".debug_info", "/build/another/path"), loose(".debug_line", "xyz")],
    ],
  ] as const)("when only %s differs", async (name, left, right) => {
    expect(await explain(elfOf(left), elfOf(right))).toEqual([name]);
  });

  test("by every class that is needed, and by no other", async () => {
    const left = elfOf([buildId(1), code, loose(".comment", "a"), loose(".debug_str", "x")]);
    const right = elfOf([buildId(2), code, loose(".comment", "a"), loose(".debug_str", "yy")]);
    expect((await explain(left, right))?.toSorted()).toEqual(["elf-build-id", "elf-debug-information"]);
  });

  test("when Go's build id differs in the note and before the code", async () => {
    const go = (letter: string): Buffer => {
      const id = [letter, "b", "c", "d"].map((part) => part.repeat(20)).join("/");
      const text = Buffer.from(`\xff Go build ID: "${id}"\n \xffcode`, "latin1");
      return elfOf([
        { name: ".text", content: text, isLoaded: true },
        { name: ".note.go.buildid", type: 7, isLoaded: true, content: note("Go\0", 4, Buffer.from(id)) },
      ]);
    };
    expect(await explain(go("x"), go("y"))).toEqual(["go-build-id"]);
  });

  test("when a package that Go compiled has another build id, and only then", async () => {
    const compiled = (letter: string, code = "code", id = letter.repeat(20)): Buffer =>
      Buffer.from(`go object linux amd64 go1.19.8 X:none\nbuild id "${id}/${id}"\n\n!\n${code}`);
    expect(await explain(compiled("x"), compiled("y"))).toEqual(["go-build-id"]);
    expect(await explain(compiled("x"), compiled("y", "cove"))).toBeUndefined();
    expect(await explain(compiled("x"), compiled("y", "code", "shorter"))).toBeUndefined();
  });

  test("when Go's build information names another commit", async () => {
    const info = (commit: string, version = "v1.2.3"): Buffer =>
      elfOf([
        {
          ...code,
          content: Buffer.concat([
            Buffer.from("3077af0c9274080241e1c107e6d618e6", "hex"),
            Buffer.from(`path\texample.org/app\ndep\texample.org/x\t${version}\nbuild\tvcs.revision=${commit}\n`),
            Buffer.from("f932433186182072008242104116d8f2", "hex"),
          ]),
        },
      ]);
    expect(await explain(info("a".repeat(40)), info("b".repeat(40)))).toEqual(["go-build-info"]);
    expect(await explain(info("a".repeat(40)), info("a".repeat(40), "v1.2.4"))).toBeUndefined();
  });
});

describe("ELF files are others", () => {
  const base = [buildId(1), code, loose(".comment", "a")];
  test.each([
    ["code", [buildId(1), { ...code, content: Buffer.from("code that runs, and its dat4") }, loose(".comment", "a")]],
    ["a section that nobody knows", [...base, loose(".payload", "x")]],
    ["a loaded section called .comment", [buildId(1), code, { ...loose(".comment", "b"), isLoaded: true }]],
    [
      "a build id of another length",
      [{ ...buildId(1), content: note("GNU", 3, Buffer.alloc(16)) }, code, loose(".comment", "a")],
    ],
    [
      "a note of another kind",
      [{ ...buildId(1), content: note("GNU", 5, Buffer.alloc(20)) }, code, loose(".comment", "a")],
    ],
  ])("with other %s", async (_, right) => {
    expect(await explain(elfOf(base), elfOf(right))).toBeUndefined();
  });

  test("with other attributes in a segment that nothing is told to load", async () => {
    const attributes = (content: string): SectionInput => ({
      ...loose(".riscv.attributes", content),
      isInSegment: true,
    });
    const left = elfOf([code, attributes("rv64gc"), loose(".gnu_debuglink", "a.debug")]);
    const right = elfOf([code, attributes("rv64gcv"), loose(".gnu_debuglink", "a.debug")]);
    expect(await explain(left, right)).toBeUndefined();
    const hidden = (content: string): SectionInput => ({ ...loose(".comment", content), isInSegment: true });
    expect(await explain(elfOf([code, hidden("a")]), elfOf([code, hidden("b")]))).toBeUndefined();
  });

  test("with something behind them", async () => {
    expect(await explain(elfOf(base), Buffer.concat([elfOf(base), Buffer.from("payload")]))).toBeUndefined();
  });
});

const system = ["/bin/true", "/usr/bin/true", "/usr/bin/env", "/lib64/ld-linux-x86-64.so.2"].find((path) =>
  existsSync(path),
);

test("of a program of this system every byte counts, but for what the classes are about", async () => {
  if (system === undefined) throw new Error("no ELF program was found to try this on");
  const bytes = readFileSync(system);
  const elf = parseElf(bytes);
  if (!elf) throw new Error(`${system} was not understood`);
  const ids = notesOf(elf).filter(({ owner, type }) => owner === "GNU" && type === 3);
  const dropped = elf.sections.filter(({ name }) =>
    /^\.(comment|gnu_debuglink|gnu_debugaltlink|gnu_debugdata|debug_.*)$/.test(name),
  );
  const isKnown = (at: number): boolean =>
    [...ids, ...dropped].some(({ offset, size }) => at >= offset && at < offset + size);
  const original = await normalForm({ path: "a", bytes }, binaryClasses);
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 0, max: 7 }), async (at, bit) => {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << bit);
      const form = await normalForm({ path: "a", bytes: damaged }, binaryClasses);
      if (isKnown(at)) return;
      // where a removed section lay, and how it is called, is said in the table alone
      const isTable = at >= elf.sectionTable || inSection(at, ".shstrtab");
      if (!isTable && form?.digest === original?.digest) throw new Error(`byte ${at} of ${system} counts for nothing`);
    }),
    { numRuns: 4000, seed: 9 },
  );
  function inSection(at: number, name: string): boolean {
    return (
      elf?.sections.some((found) => found.name === name && at >= found.offset && at < found.offset + found.size) ===
      true
    );
  }
}, 60_000);

test("whatever is cut off or damaged, nothing is thrown and nothing hangs", async () => {
  const bytes = elfOf([buildId(1), code, loose(".comment", "a"), loose(".debug_info", "b")]);
  for (let length = 0; length < bytes.length; length += 1)
    await normalForm({ path: "a", bytes: bytes.subarray(0, length) }, binaryClasses);
  for (let at = 0; at < bytes.length; at += 1) {
    const damaged = Buffer.from(bytes);
    damaged[at] = 0xff;
    await normalForm({ path: "a", bytes: damaged }, binaryClasses);
  }
});
