import { createHash } from "node:crypto";
import { execa } from "execa";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareImages } from "../../../src/compare/compare-images.ts";
import { parseStrictJson } from "../../../src/compare/strict-json.ts";
import type { Comparison } from "../../../src/compare/types.ts";
import type { OciLayout } from "../../../src/oci/layout.ts";
import { type Descriptor, mediaTypes } from "../../../src/oci/types.ts";
import { file, folder, link, tarOf, type TestImage, testLayout, writeImage, writeIndex } from "../../support/images.ts";
import { checksummed, paxHeader } from "../../support/raw-tar.ts";

async function compareIn(layout: OciLayout, left: Descriptor, right: Descriptor): Promise<Comparison> {
  return compareImages({ reader: layout, descriptor: left }, { reader: layout, descriptor: right });
}

async function compare(left: TestImage, right: TestImage): Promise<Comparison> {
  const layout = await testLayout();
  return compareIn(layout, await writeImage(layout, left), await writeImage(layout, right));
}

const base: TestImage = { layers: [[file("a")]] };

/** The base image with its config written by hand; `DIFF` stands for its diffID. */
async function withConfig(layout: OciLayout, config: string): Promise<Descriptor> {
  const tar = await layout.writeBytes(await tarOf([file("a")]), mediaTypes.layer);
  const written = await layout.writeBytes(config.replaceAll("DIFF", tar.digest), mediaTypes.config);
  return layout.writeBytes(
    JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.manifest, config: written, layers: [tar] }),
    mediaTypes.manifest,
  );
}

const start = '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["DIFF"]}';

describe("configs that readers read in two ways", () => {
  test.each([
    ["a key twice", `${start},"config":{"Entrypoint":["/evil"]},"config":{}}`, /"config" twice/],
    ["a key in another case", `${start},"config":{"Cmd":[],"cmd":["/evil"]}}`, /"cmd" twice/],
    ["a key with a long s", `${start},"config":{"User":"0","U\\u017fer":"1"}}`, /twice/],
    ["a label twice", `${start},"config":{"Labels":{"a":"1","a":"2"}}}`, /"a" twice/],
    ["a number that loses digits", `${start},"config":{"Healthcheck":{"Interval":9007199254740993}}}`, /too large/],
    ["a number without end", `${start},"future":1e999}`, /too large/],
    ["endless nesting", `${start},"future":${"[".repeat(200)}${"]".repeat(200)}}`, /nested more than/],
  ])("%s: refused", async (_, config, message) => {
    const layout = await testLayout();
    const [good, bad] = [await withConfig(layout, `${start}}`), await withConfig(layout, config)];
    await expect(compareIn(layout, good, bad)).rejects.toThrow(message);
    await expect(compareIn(layout, bad, good)).rejects.toMatchObject({ kind: "infrastructure" });
  });

  test.each([
    ["a key that every object inherits", `${start},"constructor":1}`, "constructor"],
    ["one that is the prototype's", `${start},"__proto__":{}}`, "__proto__"],
    ["one inside config", `${start},"config":{"toString":"x"}}`, "config.toString"],
    ["a config that is no object", `${start},"config":["x"]}`, "config"],
    ["another kind of rootfs", start.replace('"layers"', '"other"').concat("}"), "rootfs.type"],
    ["a variant of amd64", `${start},"variant":"v3"}`, "variant"],
  ])("%s: different, and named", async (_, config, key) => {
    const layout = await testLayout();
    const compared = await compareIn(layout, await withConfig(layout, `${start}}`), await withConfig(layout, config));
    expect(compared.level).toBe("different");
    expect(compared.platforms[0]?.differences.flatMap(({ paths }) => paths)).toEqual([key]);
  });

  test("labels whose names differ in case are two labels", () => {
    expect(parseStrictJson('{"config":{"Labels":{"a":"1","A":"2"}}}', "it")).toEqual({
      config: { Labels: { a: "1", A: "2" } },
    });
  });

  test("arm64 is v8, said or not", async () => {
    const arm = { ...base, architecture: "arm64" };
    const compared = await compare(arm, { ...arm, top: { variant: "v8" } });
    expect(compared.level).toBe("layers");
  });

  test("all JSON that the platform itself writes is read", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5, noUnicodeString: false }), (value) => {
        const text = JSON.stringify(value);
        let parsed: unknown;
        try {
          parsed = parseStrictJson(text, "it");
        } catch (error) {
          // generated keys may differ in case only, and numbers may be large
          expect(error).toMatchObject({ message: expect.stringMatching(/twice|too large/) });
          return;
        }
        expect(parsed).toEqual(JSON.parse(text));
      }),
      { numRuns: 300 },
    );
  });
});

describe("indexes that hide something", () => {
  test("a platform that could run is compared, whatever its annotations say", async () => {
    const layout = await testLayout();
    const good = await writeImage(layout, base);
    const evil = await writeImage(layout, { layers: [[file("a", "evil")]] });
    const annotations = { "vnd.docker.reference.type": "attestation-manifest" };
    const left = await writeIndex(layout, [good]);
    const right = await writeIndex(layout, [{ ...evil, annotations }, good]);
    expect((await compareIn(layout, left, right)).level).toBe("different");
  });

  test("a second child of one platform counts for index-core", async () => {
    const layout = await testLayout();
    const good = await writeImage(layout, base);
    const other = await writeImage(layout, { layers: [[file("a", "other")]] });
    const compared = await compareIn(layout, await writeIndex(layout, [good]), await writeIndex(layout, [good, other]));
    expect(compared).toMatchObject({ level: "manifest", levels: { "index-core": false } });
  });

  test("versions of one os are platforms of their own", async () => {
    const layout = await testLayout();
    const images = [await writeImage(layout, base), await writeImage(layout, { layers: [[file("a", "b")]] })];
    const windows = (image: Descriptor | undefined, version: string): Descriptor[] =>
      image ? [{ ...image, platform: { os: "windows", architecture: "amd64", "os.version": version } }] : [];
    const left = await writeIndex(layout, [...windows(images[0], "1"), ...windows(images[1], "2")]);
    const right = await writeIndex(layout, [...windows(images[0], "1"), ...windows(images[0], "2")]);
    const compared = await compareIn(layout, left, right);
    expect(compared.level).toBe("different");
    expect(compared.platforms.map(({ platform, level }) => [platform, level])).toEqual([
      ["windows(1)/amd64", "manifest"],
      ["windows(2)/amd64", "different"],
    ]);
  });

  test("nested indexes are walked, three deep, and no index without end", async () => {
    const layout = await testLayout();
    const image = await writeImage(layout, base);
    let index = await writeIndex(layout, [image]);
    const flat = index;
    index = await writeIndex(layout, [index]);
    expect((await compareIn(layout, flat, index)).level).toBe("index-core");
    const wide = await writeIndex(layout, Array<Descriptor>(40).fill(await writeIndex(layout, Array(40).fill(image))));
    await expect(compareIn(layout, flat, wide)).rejects.toThrow(/more than 1000 children/);
    for (let depth = 0; depth < 3; depth += 1) index = await writeIndex(layout, [index]);
    await expect(compareIn(layout, flat, index)).rejects.toThrow(/nested more than 3/);
  });

  test("an artifact beside the images is none of them", async () => {
    const layout = await testLayout();
    const image = await writeImage(layout, base);
    const config = await layout.writeBytes("{}", "application/vnd.oci.empty.v1+json");
    const artifact = await layout.writeBytes(
      JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers: [] }),
      mediaTypes.manifest,
    );
    const [left, right] = [await writeIndex(layout, [image]), await writeIndex(layout, [image, artifact])];
    expect((await compareIn(layout, left, right)).level).toBe("index-core");
  });

  test("a digest that is a path goes nowhere", async () => {
    const layout = await testLayout();
    const image = await writeImage(layout, base);
    const evil = { ...image, digest: "sha256:../../../../etc/passwd" } as unknown as Descriptor;
    const index = await writeIndex(layout, [evil]);
    await expect(compareIn(layout, index, index)).rejects.toThrow(/without a media type, sha256 digest and size/);
  });
});

describe("layers that mean something else than their entries, put together, say", () => {
  const same = [file("a", "2"), link("b", "a", "hardlink")];
  test.each<[string, TestImage["layers"], TestImage["layers"]]>([
    [
      "a link made before its file was replaced",
      [same],
      [[file("a", "1"), link("b", "a", "hardlink"), file("a", "2")]],
    ],
    [
      "a folder that becomes a link too late",
      [[folder("c"), link("d", "c"), file("d/x")]],
      [[folder("c"), file("d/x"), link("d", "c")]],
    ],
    [
      "a setuid bit in a link's own header",
      [same],
      [[file("a", "2"), { ...link("b", "a", "hardlink"), mode: 0o4644 }]],
    ],
  ])("%s", async (_, left, right) => {
    expect((await compare({ layers: left }, { layers: right })).level).toBe("different");
  });

  test("attributes whose names and values would run together", async () => {
    const withXattrs = (xattrs: ReadonlyMap<string, Buffer>): TestImage => ({ layers: [[file("a", "a", { xattrs })]] });
    const two = new Map(["user.a", "user.b"].map((name) => [name, Buffer.from("x")]));
    const one = new Map([["user.a=78\nuser.b", Buffer.from("x")]]);
    const compared = await compare(withXattrs(two), withXattrs(one));
    expect(compared.platforms[0]?.differences.map((difference) => difference.class)).toEqual(["xattrs"]);
  });

  test.each([
    ["a path upwards", "x/../../y", /a path with \.\./],
    ["a whiteout of nothing", "x/.wh.", /invalid whiteout/],
    ["a whiteout of the folder above", "x/.wh...", /invalid whiteout/],
    ["a path that nothing unpacks", `${"x/".repeat(3000)}y`, /more than 4096 bytes/],
    ["a file named like a folder", "x/", /ends in a slash/],
  ])("%s is refused, with the layer's name", async (_, path, message) => {
    const compared = compare(base, { layers: [[file(path)]] });
    await expect(compared).rejects.toThrow(message);
    await expect(compared).rejects.toThrow(/the layer sha256:/);
  });

  test("global records are refused when they matter", async () => {
    const tar = await tarOf([file("a")]);
    const harmless = await compare(base, { layers: [Buffer.concat([paxHeader({ comment: "x" }, "g"), tar])] });
    expect(harmless.level).toBe("entries");
    const matters = compare(base, { layers: [Buffer.concat([paxHeader({ uid: "0" }, "g"), tar])] });
    await expect(matters).rejects.toThrow(/global pax record "uid"/);
  });
});

/** What GNU tar says an archive holds: names, types, modes, owners, link targets, and contents; nothing when it refuses. */
async function truthOf(archive: Buffer): Promise<string | undefined> {
  const listed = await execa("tar", ["--list", "--verbose", "--numeric-owner", "--quoting-style=escape"], {
    input: archive,
    reject: false,
  });
  const contents = await execa("tar", ["--extract", "--to-command=sha256sum"], { input: archive, reject: false });
  if (listed.exitCode !== 0 || contents.exitCode !== 0) return undefined;
  const lines = listed.stdout.split("\n").map((line) => {
    const [, type = "", mode = "", owner = "", name = ""] = /^(.)(\S{9}) +(\S+) +\S+ +\S+ \S+ (.*)$/.exec(line) ?? [];
    const cleaned = name
      .split("/")
      .filter((part) => part !== "" && part !== ".")
      .join("/");
    return `${type === "C" ? "-" : type}${mode} ${owner} ${cleaned}`;
  });
  const sum = createHash("sha256").update(contents.stdout).digest("hex");
  return JSON.stringify([lines.filter((line) => !line.endsWith(" ")).toSorted(), sum]);
}

test("a damaged layer never counts as more equal than GNU tar's reading of it", async () => {
  const archive = await tarOf([folder("d"), file("d/x", "content"), file("s", "", { mode: 0o4755 }), link("l", "d/x")]);
  const truth = await truthOf(archive);
  const layout = await testLayout();
  const left = await writeImage(layout, { layers: [archive] });
  const change = fc.record({
    block: fc.constantFrom(0, 1, 2, 3, 4),
    at: fc.oneof(fc.nat({ max: 160 }), fc.nat({ max: 511 })),
    bytes: fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 4 }),
      fc.constantFrom("7", "/", "\0", "1", " ").map((text) => Buffer.from(text)),
    ),
  });
  let equal = 0;
  let unequal = 0;
  await fc.assert(
    fc.asyncProperty(change, async ({ block, at, bytes }) => {
      const damaged = Buffer.from(archive);
      const header = damaged.subarray(block * 512, block * 512 + 512);
      header.set(bytes.subarray(0, 512 - at), at);
      if (block !== 2) checksummed(header);
      let level: string;
      try {
        level = (await compareIn(layout, left, await writeImage(layout, { layers: [damaged] }))).level;
      } catch (error) {
        expect(error).toMatchObject({ name: "RefoundryError" });
        return;
      }
      if (level === "different") unequal += 1;
      else {
        equal += 1;
        expect(await truthOf(damaged)).toBe(truth);
      }
    }),
    { numRuns: Number(process.env["RUNS"] ?? 150), seed: Number(process.env["SEED"] ?? 5) },
  );
  expect(Math.min(equal, unequal)).toBeGreaterThan(10);
}, 60_000);
