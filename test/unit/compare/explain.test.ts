import { describe, expect, test } from "vitest";
import { type CompareOptions, compareImages } from "../../../src/compare/compare-images.ts";
import type { Evidence } from "../../../src/compare/evidence/types.ts";
import type { Comparison, Difference } from "../../../src/compare/types.ts";
import type { Waiver } from "../../../src/compare/waivers.ts";
import type { Descriptor } from "../../../src/oci/types.ts";
import type { TarInput } from "../../../src/oci/tar/write.ts";
import { file, folder, link, type TestImage, testLayout, writeImage, writeIndex } from "../../support/images.ts";

type Content = Partial<Omit<TestImage, "layers">>;

async function compare(
  left: readonly TarInput[],
  right: readonly TarInput[],
  options: CompareOptions & { readonly right?: Content } = {},
): Promise<Comparison> {
  const { right: more, ...rest } = options;
  const layout = await testLayout();
  const [a, b] = [await writeImage(layout, { layers: [left] }), await writeImage(layout, { layers: [right], ...more })];
  return compareImages({ reader: layout, descriptor: a }, { reader: layout, descriptor: b }, rest);
}

function difference(comparison: Comparison, name: string): Difference {
  const found = comparison.platforms[0]?.differences.find((item) => item.class === name);
  if (!found) throw new Error(`no ${name} among ${JSON.stringify(comparison.platforms[0]?.differences)}`);
  return found;
}

/** A script with a date in its first comment. */
const dated = (day: number, body = "print(1)"): TarInput =>
  file("usr/lib/m.py", `# Generated on 2026-11-${day}\n\n${body}\n`);

describe("what normalises to the same", () => {
  test("is explained, with the class, its version and the proof", async () => {
    const comparison = await compare([dated(11), file("a")], [dated(12), file("a")]);
    expect(comparison.level).toBe("explained");
    expect(difference(comparison, "text-date")).toMatchObject({
      weight: "explained",
      proof: "normalised-equal",
      count: 1,
      paths: ["/usr/lib/m.py"],
    });
    expect(comparison.platforms[0]).toMatchObject({
      unexplained: 0,
      levels: { filesystem: false, explained: true },
      normalisers: [{ class: "text-date", version: 1 }],
    });
  });

  test("is not explained when anything else differs in it, or around it", async () => {
    expect((await compare([dated(11)], [dated(12, "print(2)")])).level).toBe("different");
    expect((await compare([dated(11)], [{ ...dated(12), mode: 0o755 }])).level).toBe("different");
    expect((await compare([dated(11)], [{ ...dated(12), uid: 1 }])).level).toBe("different");
    const setuid = await compare([dated(11)], [{ ...dated(12), mode: 0o4644 }]);
    expect(setuid.level).toBe("different");
    expect(difference(setuid, "file-mode").proof).toBeUndefined();
    expect(difference(setuid, "text-date").proof).toBe("normalised-equal");
  });

  test("does not make up for another runtime config", async () => {
    const comparison = await compare([dated(11)], [dated(12)], { right: { config: { User: "1" } } });
    expect(comparison.level).toBe("different");
    expect(comparison.platforms[0]?.levels.explained).toBe(false);
  });
});

describe("hard links", () => {
  const linked = [file("a", "same"), link("b", "a", "hardlink")];

  test("and copies are explained, and never equal", async () => {
    const comparison = await compare(linked, [file("a", "same"), file("b", "same")]);
    expect(comparison.level).toBe("explained");
    expect(difference(comparison, "hardlink-copy").paths).toEqual(["/a", "/b"]);
  });

  test("and a copy with another content are different", async () => {
    expect((await compare(linked, [file("a", "same"), file("b", "other")])).level).toBe("different");
  });

  test("whose own header says otherwise are different", async () => {
    const setuid = { ...link("b", "a", "hardlink"), mode: 0o4755 };
    expect((await compare(linked, [file("a", "same"), setuid])).level).toBe("different");
    expect((await compare([file("a", "same"), file("b", "same")], [file("a", "same"), setuid])).level).toBe(
      "different",
    );
  });
});

describe("what one side lacks", () => {
  test.each([
    ["a mount point", [folder("proc"), folder("dev"), folder("dev/pts"), file(".dockerenv", "")]],
    ["a network file", [file("etc/resolv.conf", "nameserver 10.0.0.1\nsearch example.invalid\n")]],
    ["an empty cache", [folder("root/.cache"), folder("root/.cache/pip"), file("root/.cache/pip/lock", "")]],
  ])("counts as nothing when it is %s", async (_, more) => {
    expect((await compare([folder("etc"), folder("root")], [folder("etc"), folder("root"), ...more])).level).toBe(
      "explained",
    );
    expect((await compare([folder("etc"), folder("root"), ...more], [folder("etc"), folder("root")])).level).toBe(
      "explained",
    );
  });

  test.each([
    ["a file in a cache", [folder("root/.cache"), file("root/.cache/x", "content")]],
    ["a file under a mount point", [folder("proc"), file("proc/x", "content")]],
    ["a device", [folder("dev"), { ...file("dev/console", ""), mode: 0o4755 }]],
    ["a command in a network file", [file("etc/resolv.conf", "nameserver 10.0.0.1\n$(reboot)\n")]],
    ["an empty folder elsewhere", [folder("var/cache"), folder("var/cache/nginx")]],
    ["a link at a mount point", [link("proc", "/tmp")]],
    [
      "a cache that belongs to somebody with a capability",
      [{ ...folder("root/.cache"), xattrs: new Map([["security.capability", Buffer.from("x")]]) }],
    ],
  ])("counts when it is %s", async (_, more) => {
    const comparison = await compare([folder("etc")], [folder("etc"), ...(more as TarInput[])]);
    expect(comparison.level).toBe("different");
  });
});

describe("waivers", () => {
  const waiver: Waiver = {
    class: "file-content",
    paths: ["/a"],
    reason: "a build id",
    owner: "somebody",
    expires: "2026-12-31",
  };
  const options = { waivers: [waiver], today: "2026-11-23" };
  const [left, right] = [
    [file("a", "1"), file("b")],
    [file("a", "2"), file("b")],
  ];

  test("declare what they name, with who answers for it until when", async () => {
    const comparison = await compare(left, right, options);
    expect(comparison.level).toBe("explained");
    expect(difference(comparison, "file-content")).toMatchObject({
      weight: "explained",
      proof: "declared",
      waiver: { reason: "a build id", owner: "somebody", expires: "2026-12-31" },
    });
    expect(comparison.platforms[0]?.normalisers).toEqual([]);
  });

  test("that have expired declare nothing, and are named", async () => {
    expect((await compare(left, right, { ...options, today: "2026-12-31" })).level).toBe("explained");
    const comparison = await compare(left, right, { ...options, today: "2027-01-01" });
    expect(comparison.level).toBe("different");
    expect(difference(comparison, "file-content").detail).toContain("the waiver of somebody expired on 2026-12-31");
  });

  test("cover their class and paths alone", async () => {
    for (const other of [{ class: "file-mode" }, { paths: ["/b"] }, { paths: ["/a/**"] }])
      expect((await compare(left, right, { ...options, waivers: [{ ...waiver, ...other }] })).level).toBe("different");
    expect((await compare(left, [file("a", "2"), file("b", "3")], options)).level).toBe("different");
    expect((await compare(left, [{ ...file("a", "2"), mode: 0o4755 }, file("b")], options)).level).toBe("different");
  });

  test("cover everything below a folder when they say so", async () => {
    const below = { ...waiver, paths: ["/d/**"] };
    const [a, b] = [
      [folder("d"), file("d/x", "1"), file("d/e/y", "1")],
      [folder("d"), file("d/x", "2"), file("d/e/y", "2")],
    ];
    expect((await compare(a, b, { ...options, waivers: [below] })).level).toBe("explained");
    expect(
      (await compare([...a, file("dx", "1")], [...b, file("dx", "2")], { ...options, waivers: [below] })).level,
    ).toBe("different");
  });

  test("cover the platforms that they name alone, which are those of the right image", async () => {
    const layout = await testLayout();
    const write = (content: string, architecture: string): Promise<Descriptor> =>
      writeImage(layout, { layers: [[file("a", content)]], architecture });
    const ours = [await write("2", "amd64"), await write("2", "arm64")] as const;
    const theirs = [await write("1", "amd64"), await write("1", "arm64")] as const;
    const arm = { waivers: [{ ...waiver, platforms: ["linux/arm64" as const] }], today: "2026-11-23" };
    const proofs = async (left: Descriptor, right: Descriptor): Promise<string[]> => {
      const { platforms } = await compareImages(
        { reader: layout, descriptor: left },
        { reader: layout, descriptor: right },
        arm,
      );
      return platforms.map(({ platform, differences }) => {
        const content = differences.find((found) => found.class === "file-content");
        return `${platform} ${content?.weight} ${content?.waiver?.reason}`;
      });
    };
    expect(await proofs(await writeIndex(layout, theirs), await writeIndex(layout, ours))).toEqual([
      "linux/amd64 unexplained undefined",
      "linux/arm64 explained a build id",
    ]);
    // one image against one of another platform, as those that upstream lacks are compared
    expect(await proofs(theirs[0], ours[1])).toEqual(["linux/amd64 explained a build id"]);
    expect(await proofs(theirs[1], ours[0])).toEqual(["linux/arm64 unexplained undefined"]);
  });

  test("can cover a field of the config, and then the image is explained at most", async () => {
    const labels = {
      class: "runtime-config",
      paths: ["config.Labels"],
      reason: "r",
      owner: "o",
      expires: "2030-01-01",
    };
    const comparison = await compare([file("a")], [file("a")], {
      waivers: [labels],
      today: "2026-11-23",
      right: { config: { Labels: { a: "b" } } },
    });
    expect(comparison.level).toBe("explained");
    expect(comparison.platforms[0]?.levels).toMatchObject({ layers: false, filesystem: false, explained: true });
  });
});

test("when too much has no explanation the rest is not looked into, and says so", async () => {
  const many = (content: string): TarInput[] =>
    Array.from({ length: 700 }, (_, index) => file(`usr/f${String(index).padStart(4, "0")}`, content.repeat(110_000)));
  const comparison = await compare(many("x"), many("y"));
  const details = comparison.platforms[0]?.differences.map(({ detail, count }) => [
    count,
    /not looked into/.test(detail),
  ]);
  expect(comparison.level).toBe("different");
  expect(comparison.platforms[0]?.unexplained).toBe(700);
  expect(details).toContainEqual([expect.any(Number), true]);
}, 60_000);

test("evidence shows texts line by line, binaries byte by byte, and both configs", async () => {
  let evidence: Evidence | undefined;
  await compare([file("a", "one\ntwo\n"), file("b", "\0\x01\x02")], [file("a", "one\n2\n"), file("b", "\0\x01\x03")], {
    onEvidence: (seen) => void (evidence = seen),
    right: { config: { User: "1" } },
  });
  const [platform] = evidence?.platforms ?? [];
  expect(platform?.files.map(({ path, shown }) => [path, shown?.kind])).toEqual([
    ["/a", "text"],
    ["/b", "binary"],
  ]);
  expect(platform?.documents.map(({ name }) => name)).toEqual(["manifest", "config"]);
  expect(platform?.files[0]?.left).toMatchObject({ mode: "0644", owner: "0:0", size: "8" });
});

test("the same inputs give the same bytes, in every order of reading", async () => {
  const left = [dated(11), file("a", "1"), folder("tmp"), file("tmp/x", "")];
  const right = [dated(12), file("a", "2"), link("l", "a")];
  const texts = await Promise.all([1, 2, 3].map(async () => JSON.stringify((await compare(left, right)).platforms)));
  expect(new Set(texts).size).toBe(1);
});
