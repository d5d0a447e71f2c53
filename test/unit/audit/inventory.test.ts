import { describe, expect, test } from "vitest";
import { type AuditedRelease, howToGet, takeInventory } from "../../../src/audit/inventory.ts";
import { sampleOfDay } from "../../../src/audit/sample.ts";
import type { Holding } from "../../../src/escrow/types.ts";
import { canonicalJson } from "../../../src/json.ts";
import { digestOf } from "../../../src/oci/digest.ts";
import { renderAuditSpdx } from "../../../src/report/audit-spdx.ts";
import { renderAudit, renderAuditCsv } from "../../../src/report/audit-table.ts";

const packageOf = (name: string): Holding => ({
  kind: "package",
  of: "toolchain",
  name,
  version: "1",
  digest: digestOf(name),
  lacksSource: true,
  origins: [],
});
const sourceOf = (name: string, file?: string): Holding => ({
  kind: "package-source",
  of: "toolchain",
  name,
  version: "1",
  licence: "GPL-3.0-or-later",
  ...(file !== undefined && { digest: digestOf(file), path: `pool/main/${file}` }),
  origins: [],
});
const commit: Holding = {
  kind: "commit",
  of: "source",
  name: "tool",
  version: "1.0",
  commit: "a".repeat(40),
  licence: "GPL-2.0-or-later",
  origins: [],
};
const release = (version: string, holdings: readonly Holding[]): AuditedRelease => ({
  recipe: "tool",
  version,
  holdings,
  ledger: [],
});
const today = "2026-11-29";

describe("an inventory", () => {
  const two = [release("1.0", [commit, packageOf("gcc"), packageOf("make")]), release("1.1", [packageOf("gcc")])];

  test("lists what releases share once, with all that need it", () => {
    const { entries } = takeInventory(two, new Map(), today);
    expect(entries.map(({ name, neededBy }) => [name, neededBy])).toEqual([
      ["tool", ["tool@1.0"]],
      ["gcc", ["tool@1.0", "tool@1.1"]],
      ["make", ["tool@1.0"]],
    ]);
  });

  test("counts what is held in parts, and lists what is not", () => {
    const held = new Map([[digestOf("gcc"), { where: "oci:escrow:tool-1.0", since: "2026-01-02T03:04:05Z" }]]);
    const [closure] = takeInventory(two, held, today).closures;
    expect(closure).toMatchObject({ release: "tool@1.0", percent: 16 });
    expect(closure?.parts).toEqual([
      { part: "sources", held: 0, all: 1 },
      { part: "packages", held: 1, all: 2 },
      { part: "sources of packages", held: 0, all: 2 },
      { part: "tools named", held: 0, all: 1 },
    ]);
    expect(closure?.missing.map(({ name }) => name)).toEqual(["tool", "make"]);
    expect(closure?.unpinnedSources).toBe(2);
  });

  test("counts the sources of packages file by file, and one that nothing pins as lacking for good", () => {
    const { lacksSource: _, ...gcc } = packageOf("gcc");
    const holdings = [gcc, sourceOf("gcc", "gcc_1.dsc"), sourceOf("gcc", "gcc_1.orig.tar.xz"), sourceOf("make")];
    const held = new Map(["gcc", "gcc_1.dsc", "make"].map((name) => [digestOf(name), { where: "here" }]));
    const { closures, offers } = takeInventory([release("1.0", holdings)], held, today);
    expect(closures[0]).toMatchObject({ percent: 40, unpinnedSources: 0 });
    expect(closures[0]?.parts).toContainEqual({ part: "sources of packages", held: 1, all: 3 });
    expect(closures[0]?.missing.map((holding) => [holding.name, howToGet("tool@1.0", holding)])).toEqual([
      ["gcc", "refoundry vendor tool@1.0"],
      ["make", expect.stringContaining("REFOUNDRY_DEBIAN_SNAPSHOT")],
    ]);
    expect(offers.map(({ source, offered }) => [source, offered])).toEqual([
      ["gcc", "here"],
      ["make", undefined],
    ]);
  });

  test("tells of its ledger: what it covers, what has expired, and what is in none", () => {
    const entry = (names: string[], expires: string) => ({
      input: "package-source" as const,
      names,
      reason: "superseded",
      owner: "release-engineering",
      expires,
    });
    const ledger = [entry(["gcc"], "2026-11-29"), entry(["make"], "2026-11-28")];
    const audited = { ...release("1.0", [sourceOf("gcc"), sourceOf("make"), sourceOf("sed")]), ledger };
    const { closures, ledger: lines } = takeInventory([audited], new Map(), today);
    expect(closures[0]).toMatchObject({ undeclared: 2 });
    expect(lines.map(({ names, expired, covers }) => ({ names, expired, covers }))).toEqual([
      { names: ["gcc"], expired: false, covers: ["tool@1.0"] },
      { names: ["make"], expired: true, covers: ["tool@1.0"] },
    ]);
    const text = renderAudit(takeInventory([audited], new Map(), today), undefined);
    expect(text).toContain("ledger: package-source make: superseded (release-engineering, EXPIRED on 2026-11-28");
    expect(text).toContain("2 missing pieces of 1 releases are in no ledger");
  });

  test("offers the source of what is copyleft, and says whether it can", () => {
    const key = `commit ${"a".repeat(40)}`;
    const offers = (held: boolean) =>
      takeInventory(two, new Map(held ? [[key, { where: "here" }]] : []), today).offers.map(({ offered }) => offered);
    expect(offers(true)).toEqual(["here"]);
    expect(offers(false)).toEqual([undefined]);
    const free = takeInventory([release("1", [{ ...commit, licence: "MIT" }])], new Map(), today);
    expect(free.offers).toEqual([]);
  });

  test("says in a table how to get what is missing", () => {
    expect(renderAudit(takeInventory(two, new Map(), today), "oci:escrow")).toContain(
      "tool@1.0 lacks commit tool 1.0, package gcc 1, package make 1: refoundry vendor tool@1.0 --escrow oci:escrow",
    );
  });

  test("keeps what releases need twice once, and what each says of it", () => {
    const other = { ...packageOf("gcc"), of: "clients" };
    const { closures, entries } = takeInventory(
      [release("1.0", [packageOf("gcc")]), release("1.1", [packageOf("gcc"), other]), release("1.2", [other])],
      new Map(),
      today,
    );
    const [first, second, third] = closures.map(({ missing }) => missing);
    expect(entries).toHaveLength(1);
    expect(entries[0]?.neededBy).toEqual(["tool@1.0", "tool@1.1", "tool@1.2"]);
    expect(second?.[0]).toBe(first?.[0]);
    expect(third).toEqual([other]);
  });

  test("is one SPDX document, by canonical bytes, named by the digest of what it holds", () => {
    const { entries } = takeInventory(two, new Map([[digestOf("gcc"), { where: "here" }]]), today);
    const text = [...renderAuditSpdx(entries, "2026-11-29T00:00:00Z")].join("");
    const document = JSON.parse(text) as Record<string, unknown>;
    const { packages, relationships } = document;
    expect(text).toBe(canonicalJson(document));
    expect(document).toMatchObject({ spdxVersion: "SPDX-2.3", SPDXID: "SPDXRef-DOCUMENT" });
    expect(String(document["documentNamespace"])).toContain(
      digestOf(canonicalJson({ packages, relationships })).slice("sha256:".length),
    );
    expect(packages).toHaveLength(5);
    expect(relationships).toHaveLength(6);
  });

  test("of no release is an SPDX document too", () => {
    const text = [...renderAuditSpdx([], "2026-11-29T00:00:00Z")].join("");
    expect(JSON.parse(text)).toMatchObject({ packages: [], relationships: [] });
  });

  test("gives a spreadsheet no formulas and no broken rows", () => {
    const odd = takeInventory([release("1", [{ ...packageOf('=cmd|"x"'), version: "1,2" }])], new Map(), today);
    const [, row] = [...renderAuditCsv(odd.entries)].join("").split("\r\n");
    expect(row).toContain(`package,"'=cmd|""x""","1,2",`);
  });
});

test("a sample is the same all day, another the next, and everything comes round", () => {
  const all = Array.from({ length: 10 }, (_, number) => ({ release: `a@${number}` }));
  expect(sampleOfDay(all, 3, "2026-01-01")).toEqual(sampleOfDay(all.toReversed(), 3, "2026-01-01"));
  const seen = new Set<string>();
  for (let day = 1; day <= 28; day += 1)
    for (const { release: name } of sampleOfDay(all, 3, `2026-02-${String(day).padStart(2, "0")}`)) seen.add(name);
  expect(seen.size).toBe(10);
});
