import { existsSync } from "node:fs";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { expect, test } from "vitest";
import type { TarInput } from "../../../src/oci/tar/write.ts";
import { parseDocument } from "../../../src/recipe/document.ts";
import { recipeSchema, releaseSchema } from "../../../src/recipe/schema.ts";
import { file, type TestImage } from "../../support/images.ts";
import { goProgram } from "../sbom/bills.ts";
import { callAdd, callPin, createImage, createPlace, createSource, type Ended, git } from "./factories.ts";

const apache =
  "                                 Apache License\n                           Version 2.0, January 2004\n";
const path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

function program(name: string, bytes: Buffer): TarInput {
  return { ...file(name, ""), ...{ mode: 0o755, size: bytes.length, content: bytes } };
}

const goTool: TestImage = {
  layers: [
    [
      program(
        "tool",
        goProgram("go1.26.3", [
          "path\texample.com/tool/cmd/tool",
          "mod\texample.com/tool\tv1.2.0\th1:x",
          "build\t-ldflags=-s -w -X main.version=1.2.0",
          "build\t-trimpath=true",
          "build\tCGO_ENABLED=0",
          "build\tvcs.revision=0000000000000000000000000000000000000000",
        ]),
      ),
    ],
  ],
  config: {
    Entrypoint: ["/tool"],
    Env: [path, 'GREETING=say "$HOME" \\'],
    User: "65532:65532",
    WorkingDir: "/data",
    ExposedPorts: { "8080/tcp": {} },
    Labels: { "org.opencontainers.image.licenses": "Apache-2.0" },
  },
};
const goSource = {
  "go.mod": "module example.com/tool\n\ngo 1.26\n",
  LICENSE: apache,
  "cmd/tool/main.go": "package main\n",
};

const document = ({ stdout }: Ended) => JSON.parse(stdout);
const abouts = (ended: Ended): string[] =>
  document(ended)
    .questions.map(({ about }: { about: string }) => about)
    .toSorted();

test("a Go program gives Go's build lines, the toolchain of its Go, and every platform of the default list", async () => {
  const place = await createPlace("go-1.26", "go-1.27");
  const source = await createSource(place, goSource, ["v1.2.0"]);
  const image = await createImage(place, "1.2.0", goTool, { ...goTool, architecture: "arm64" });
  const ended = await callAdd(place, { json: true, name: "tool", source: source.url }, image.reference);
  expect(ended).toMatchObject({ exitCode: 0 });
  expect(document(ended)).toMatchObject({
    schema: "refoundry/add/v1",
    recipe: "tool",
    version: "1.2.0",
    written: true,
    image: { platforms: ["linux/amd64", "linux/arm64"], go: { goVersion: "go1.26.3", module: "example.com/tool" } },
    source: { commit: source.commit, tag: "v1.2.0", kind: "go", licence: { id: "Apache-2.0" } },
    toolchain: "go-1.26",
  });
  const recipe = parseDocument(await place.read("recipes/images/tool/recipe.yaml"), "recipe.yaml", recipeSchema);
  expect(recipe.document?.value.platforms).toMatchObject({
    reproduce: ["linux/amd64", "linux/arm64"],
    extend: ["linux/arm/v7", "linux/loong64", "linux/ppc64le", "linux/riscv64", "linux/s390x"],
    omit: [],
  });
  const dockerfile = await place.read("recipes/images/tool/Dockerfile");
  expect(dockerfile).toContain(
    'go build -trimpath -buildvcs=false -ldflags="-s -w -X main.version=1.2.0" -o /out/tool ./cmd/tool',
  );
  expect(dockerfile).toContain('ENV GREETING="say \\"\\$HOME\\" \\\\"');
  for (const line of ["EXPOSE 8080/tcp", "WORKDIR /data", "USER 65532:65532", 'ENTRYPOINT ["/tool"]'])
    expect(dockerfile).toContain(`\n${line}\n`);
  expect(dockerfile).not.toContain("ENV PATH");
  const release = parseDocument(await place.read("recipes/images/tool/releases/1.2.0.yaml"), "r.yaml", releaseSchema);
  expect(release.document?.value.source.commit).toBe(source.commit);
  // the commit in the program is another than the tag's, and no answer is made up for that
  expect(abouts(ended)).toContain("revision");
  expect(document(ended).problems.filter(({ severity }: { severity: string }) => severity === "error")).toEqual([]);
});

test("what was not found out is asked, with the file and line where it is answered", async () => {
  const place = await createPlace("pinned");
  const source = await createSource(place, { motd: "hello\n" }, ["other-3"]);
  const image = await createImage(place, "1.0", { layers: [[file("etc/motd", "hello\n")]] });
  const ended = await callAdd(place, { json: true, name: "hello", source: source.url }, image.reference);
  expect(ended.exitCode).toBe(0);
  expect(new Set(abouts(ended))).toEqual(
    new Set([
      "build",
      "config",
      "licence",
      "owners",
      "platforms",
      "release",
      "revision",
      "smoke",
      "source",
      "toolchain",
      "upstream",
    ]),
  );
  for (const { file: at, line } of document(ended).questions) {
    const text = (await place.read(at)).split("\n")[line - 1];
    expect(text, `${at}:${line}`).toMatch(/\S/);
  }
  const owners = document(ended).questions.find(({ about }: { about: string }) => about === "owners");
  expect((await place.read(owners.file)).split("\n")[owners.line - 1]).toMatch(/^owners:/);
  // without a commit there is no release, and nothing that looks like one
  expect(existsSync(join(place.root, "recipes/images/hello/releases"))).toBe(false);
});

test("an image whose label names its source needs no --source, but chooses no folder of this machine", async () => {
  const place = await createPlace("pinned");
  const image = (source: string) =>
    createImage(place, "1.0", {
      layers: [[file("a")]],
      config: { Labels: { "org.opencontainers.image.source": source } },
    });
  const asked = await callAdd(place, { name: "hello" }, (await image("https://127.0.0.1:9/a/b/tree/main")).reference);
  expect(asked).toMatchObject({ exitCode: 3 });
  expect(asked.stderr).toContain("the tags of https://127.0.0.1:9/a/b cannot be listed");
  for (const source of [`file://${place.folder}`, "--upload-pack=x"]) {
    const refused = await callAdd(place, { name: "hello" }, (await image(source)).reference);
    expect(refused).toMatchObject({ exitCode: 2 });
    expect(refused.stderr).toContain("--source https://...");
  }
  const unsaid = await callAdd(place, { name: "hello" }, (await createImage(place, "1.0", { layers: [] })).reference);
  expect(unsaid).toMatchObject({ exitCode: 2 });
  expect(unsaid.stderr).toContain("the image does not say where its source is");
});

test("the commit that the image's label names counts where no tag does", async () => {
  const place = await createPlace("pinned");
  const source = await createSource(place, { Makefile: "all:\n", LICENSE: apache }, []);
  const labels = {
    "org.opencontainers.image.revision": source.commit,
    "org.opencontainers.image.version": "2.0",
  };
  const image = await createImage(place, "latest", { layers: [[file("a")]], config: { Labels: labels } });
  const ended = await callAdd(place, { json: true, name: "hello", source: source.url }, image.reference);
  expect(ended).toMatchObject({ exitCode: 0 });
  expect(document(ended)).toMatchObject({
    version: "2.0",
    source: { url: source.url, fromLabel: false, commit: source.commit, kind: "make" },
  });
  expect(await place.read("recipes/images/hello/releases/2.0.yaml")).toContain(source.commit);
  expect(abouts(ended)).toEqual(expect.arrayContaining(["revision", "version"]));
});

test("a dry run writes nothing and shows every file", async () => {
  const place = await createPlace("pinned");
  const source = await createSource(place, { motd: "hello\n" }, ["1.0"]);
  const image = await createImage(place, "1.0", { layers: [[file("a")]] });
  const ended = await callAdd(place, { name: "hello", source: source.url, dryRun: true }, image.reference);
  expect(ended.exitCode).toBe(0);
  expect(ended.stdout).toContain("--- recipes/images/hello/releases/1.0.yaml");
  expect(ended.stdout).toContain(`commit: ${source.commit}`);
  expect(await readdir(join(place.root, "recipes"))).toEqual(["toolchains"]);
  expect(existsSync(join(place.root, "vendor-sources"))).toBe(false);
});

test("nothing is overwritten and nothing half-written", async () => {
  const place = await createPlace("pinned");
  const source = await createSource(place, { motd: "hello\n" }, ["1.0"]);
  const image = await createImage(place, "1.0", { layers: [[file("a")]] });
  // a file where the folder of recipes belongs: the last step fails
  await place.write("recipes/images", "not a folder\n");
  const failed = await callAdd(place, { name: "hello", source: source.url }, image.reference);
  expect(failed.exitCode).not.toBe(0);
  expect(failed.stderr).not.toContain("defect");
  expect(existsSync(join(place.root, "vendor-sources/hello.yaml"))).toBe(false);
  expect(await place.read("recipes/images")).toBe("not a folder\n");
});

test("a source that is there under another address is not replaced; under its own it is used", async () => {
  const place = await createPlace("pinned");
  const source = await createSource(place, { motd: "hello\n" }, ["1.0"]);
  const image = await createImage(place, "1.0", { layers: [[file("a")]] });
  const other = "source: hello\nlicence: MIT\nupstream: https://git.example/other\nimport:\n  kind: git\n";
  await place.write("vendor-sources/hello.yaml", other);
  const refused = await callAdd(place, { name: "hello", source: source.url }, image.reference);
  expect(refused).toMatchObject({ exitCode: 2 });
  expect(refused.stderr).toContain("there is a source hello already");
  await place.write("vendor-sources/hello.yaml", other.replace("https://git.example/other", source.url));
  const ended = await callAdd(place, { json: true, name: "two", source: source.url }, image.reference);
  expect(document(ended)).toMatchObject({ recipe: "two", source: { name: "hello", known: true } });
  expect(existsSync(join(place.root, "vendor-sources/two.yaml"))).toBe(false);
});

test.each([
  ["--upload-pack=/tmp/owned", "begins with -"],
  ["ext::sh -c date", "white space"],
  ["https://user:secret@git.example/x", "credentials"],
  ["http://git.example/x", "https"],
])("the source %s is refused before git sees it", async (source, why) => {
  const place = await createPlace("pinned");
  const image = await createImage(place, "1.0", { layers: [[file("a")]] });
  const ended = await callAdd(place, { name: "hello", source }, image.reference);
  expect(ended.exitCode).toBe(2);
  expect(ended.stderr).toContain(why);
});

test("terminal escapes and a config of thousands of labels reach neither the terminal nor the files", async () => {
  const place = await createPlace("pinned");
  const source = await createSource(place, { motd: "hello\n" }, ["1.0"]);
  const escape = "\u001b]0;owned\u0007\u202e\u009b2J";
  const labels = Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`label-${n}`, "x".repeat(100)]));
  const hostile: TestImage = {
    layers: [[file(`etc/${escape}`), file("etc/os-release", `PRETTY_NAME="Debian ${escape}"\n`)]],
    config: {
      Entrypoint: [`/bin/${escape}`, "a\nRUN evil"],
      Cmd: ["x".repeat(100_000)],
      Env: ["A=line\nRUN evil", `B=${escape}`],
      User: "root\nRUN evil",
      WorkingDir: "$HOME",
      Labels: {
        ...labels,
        "a\nRUN evil": "x",
        "org.opencontainers.image.licenses": `MIT ${escape}`,
        "org.opencontainers.image.revision": escape,
        "org.opencontainers.image.base.name": escape,
      },
    },
    top: { history: [] },
  };
  const image = await createImage(place, "1.0", hostile);
  const ended = await callAdd(place, { name: "hello", source: source.url }, image.reference);
  expect(ended).toMatchObject({ exitCode: 0 });
  const files = ["recipe.yaml", "Dockerfile", "releases/1.0.yaml"].map((name) => `recipes/images/hello/${name}`);
  const texts = await Promise.all([...files, "vendor-sources/hello.yaml"].map((name) => place.read(name)));
  for (const text of [ended.stdout, ended.stderr, ...texts]) {
    expect(text).not.toMatch(/[^\P{Cc}\n]|[\u202a-\u202e\u2066-\u2069]/u);
    expect(text).not.toMatch(/^RUN evil/m);
    expect(text.length).toBeLessThan(100_000);
  }
  expect(ended.stdout).toContain("upstream's config has what no line here says");
});

test("a source of 100000 tags is searched in seconds", async () => {
  const place = await createPlace("pinned");
  const source = await createSource(place, { motd: "hello\n" }, []);
  const refs = Array.from({ length: 100_000 }, (_, n) => `${source.commit} refs/tags/v0.${n}`).toSorted();
  await writeFile(
    join(source.path, ".git/packed-refs"),
    `# pack-refs with: peeled fully-peeled sorted \n${refs.join("\n")}\n`,
  );
  expect((await git(source.path, "tag", "--list", "v0.99999")).trim()).toBe("v0.99999");
  const image = await createImage(place, "0.77777", { layers: [[file("a")]] });
  const started = performance.now();
  const ended = await callAdd(place, { json: true, name: "hello", source: source.url }, image.reference);
  expect(document(ended)).toMatchObject({ source: { tag: "v0.77777" } });
  expect(performance.now() - started).toBeLessThan(20_000);
}, 60_000);

test("an image in an archive is as good, and its recipe says that nobody else has it", async () => {
  const place = await createPlace("pinned");
  const source = await createSource(place, { motd: "hello\n" }, ["release-1.0"]);
  const image = await createImage(place, "1.0", { layers: [[file("a")]] });
  const archive = join(place.folder, "hello.tar");
  await execa("tar", ["--create", "--file", archive, "--directory", image.path, "."]);
  const ended = await callAdd(place, { json: true, source: source.url }, `oci-archive:${archive}:1.0`);
  expect(ended).toMatchObject({ exitCode: 0 });
  expect(document(ended)).toMatchObject({ recipe: "hello", version: "1.0", source: { tag: "release-1.0" } });
  expect(abouts(ended)).toContain("upstream");
});

test("pin --update says what it could not tell, and a recipe that fails does not keep the others from being asked", async () => {
  const place = await createPlace("pinned");
  const source = await createSource(place, { motd: "hello\n" }, ["v1.0"]);
  const image = await createImage(place, "1.0", { layers: [[file("a")]] });
  expect(await callAdd(place, { name: "hello", source: source.url }, image.reference)).toMatchObject({ exitCode: 0 });
  const ended = await callPin(place, { update: true, json: true }, "missing", "hello");
  expect(ended.exitCode).toBe(2);
  expect(ended.stderr).toContain('missing: there is no recipe "missing"');
  expect(document(ended)).toMatchObject({
    schema: "refoundry/updates/v1",
    releases: [{ version: "1.0", isPinned: true, isStable: true, tag: "v1.0" }],
    recipes: [{ recipe: "hello", notes: [expect.stringContaining("names one image")] }],
    toolchains: [{ toolchain: "pinned", unknown: expect.any(String) }],
  });
  const none = await callPin(place, {}, "hello");
  expect(none).toMatchObject({ exitCode: 2, stdout: "" });
  expect(none.stderr).toContain("pin takes a recipe and one version or more");
});
