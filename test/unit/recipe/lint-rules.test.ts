import { mkdir, readFile, rename, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { formatLocation } from "../../../src/errors.ts";
import { lint, lintRules } from "../../../src/recipe/lint.ts";
import { readLicence } from "../../../src/recipe/lint-licences.ts";
import { spdxExceptions, spdxLicences } from "../../../src/recipe/lint-spdx.ts";
import { createRecipeTree, type RecipeTree } from "../../support/recipes.ts";

const recipe = "recipes/images/tini/recipe.yaml";
const dockerfile = "recipes/images/tini/Dockerfile";
const release = "recipes/images/tini/releases/0.19.0.yaml";
const toolchain = "recipes/toolchains/debian-c/toolchain.yaml";
const source = "vendor-sources/tini.yaml";
const digest = `sha256:${"9".repeat(64)}`;

/** `rule severity file:line:column: message`, and the hint where there is one. */
async function found(tree: RecipeTree, paths?: readonly string[]): Promise<string[]> {
  const classes = ["elf-build-id", "layer-split"];
  const problems = await lint(tree.root, { today: "2026-11-20", classes, ...(paths && { paths }) });
  return problems.map(({ rule, severity, location, message, hint }) =>
    `${rule} ${severity} ${formatLocation(location)}: ${message}${hint === undefined ? "" : ` | ${hint}`}`.replaceAll(
      `${tree.root}/`,
      "",
    ),
  );
}

test.each<[what: string, file: string, from: string, to: string, expected: string | RegExp]>([
  [
    "unknown key",
    recipe,
    "owners:",
    "owner:",
    `schema error ${recipe}:2:1: unknown key "owner" | did you mean "owners"?`,
  ],
  [
    "bad value",
    recipe,
    "network: none",
    "network: host",
    /^hermeticity error .*:9:12: build.network: "host" must be none: builds have no network$/,
  ],
  [
    "platform twice",
    recipe,
    "[linux/riscv64]",
    "[linux/arm64]",
    /^platforms error .*:13:12: .*is under reproduce already$/,
  ],
  [
    "platform left out and reproduced",
    recipe,
    "  extend: [linux/riscv64]",
    "  extend: [linux/riscv64]\n  omit: [{ platform: linux/arm64, reason: it differs }]",
    /^platforms error .*:14:\d+: .*is under reproduce already$/,
  ],
  [
    "platform left out twice",
    recipe,
    "  extend: [linux/riscv64]",
    "  omit:\n    - { platform: linux/386, reason: it differs }\n    - { platform: linux/386, reason: it differs }",
    /^platforms error .*:15:\d+: .*is listed twice$/,
  ],
  [
    "platform left out without a reason",
    recipe,
    "  extend: [linux/riscv64]",
    "  omit: [{ platform: linux/386 }]",
    /error .*platforms.omit\[0\].*reason/,
  ],
  [
    "misspelt platform that is left out",
    recipe,
    "  extend: [linux/riscv64]",
    "  omit: [{ platform: linux/riscv46, reason: it differs }]",
    /^platform-unknown warning .*:13:\d+: "linux\/riscv46" is no platform/,
  ],
  ["ill-formed platform", recipe, "[linux/riscv64]", "[riscv64]", /^platforms error .*:13:12: /],
  [
    "misspelt platform",
    recipe,
    "linux/riscv64",
    "linux/riscv46",
    /^platform-unknown warning .*:13:12: "linux\/riscv46" is no platform that images are made for \| did you mean "linux\/riscv64"\?$/,
  ],
  [
    "platform by another name",
    recipe,
    "linux/riscv64",
    "linux/arm64/v8",
    /^platform-unknown warning .* is linux\/arm64, and indexes call it that \| write linux\/arm64$/,
  ],
  ["short commit", release, "a".repeat(40), "abc1234", /^pin error .*:3:11: source.commit: /],
  [
    "bad digest of a platform",
    release,
    `sha256:${"1".repeat(64)}`,
    "sha256:12",
    /^pin error .*:15:18: upstream.manifests\["linux\/amd64"\]: "sha256:12" must be sha256:/,
  ],
  [
    "another digest than the lock's",
    release,
    `sha256:${"d".repeat(64)}`,
    digest,
    /^pin error .*:9:11: toolchain.digest is not the digest that the lock/,
  ],
  [
    "toolchain by tag",
    toolchain,
    "debian:\n  suite: trixie\n  architecture: amd64\n  foreign: [arm64]\n  packages: [gcc, make, libc6-dev:arm64]\n",
    "image: registry.example/cc:latest\n",
    /^pin error .*:2:8: image: "registry.example\/cc:latest" must end in @sha256:<digest>; a tag can move$/,
  ],
  [
    "upstream by tag",
    recipe,
    "library/tini",
    "library/tini:latest",
    /^upstream-tag warning .*:6:10: upstream.image has the tag "latest"/,
  ],
  [
    "pins what is not reproduced",
    release,
    "  manifests:",
    `  manifests:\n    linux/s390x: ${digest}`,
    /^pin error .*: upstream.manifests has linux\/s390x/,
  ],
  [
    "waiver for no class",
    recipe,
    "class: elf-build-id",
    "class: elf-buildid",
    /^waiver-class warning .*:18:12: "elf-buildid" is no class of differences \| did you mean "elf-build-id"\?$/,
  ],
  [
    "waiver for a platform that is not built",
    recipe,
    "    paths: [/tini]\n",
    "    paths: [/tini]\n    platforms: [linux/amd64, linux/s390x]\n",
    /^waiver-platform warning .*:20:30: the waiver for elf-build-id is for linux\/s390x, which the recipe does not build \| it builds linux\/amd64, linux\/arm64, linux\/riscv64$/,
  ],
  [
    "waiver for a platform twice",
    recipe,
    "    paths: [/tini]\n",
    "    paths: [/tini]\n    platforms: [linux/amd64, linux/amd64]\n",
    /^schema error .*:20:30: waivers\[0\].platforms\[1\]: "linux\/amd64" is listed twice$/,
  ],
  [
    "waiver for platforms out of order",
    recipe,
    "    paths: [/tini]\n",
    "    paths: [/tini]\n    platforms: [linux/arm64, linux/amd64]\n",
    /^platform-order warning .*:20:16: waivers\[0\].platforms is not sorted/,
  ],
  [
    "waiver expired",
    recipe,
    "2027-06-30",
    "2026-11-19",
    /^waiver-expired error .*:22:14: the waiver for elf-build-id expired on 2026-11-19 \| release-engineering decides/,
  ],
  ["waiver that ends in 30 days", recipe, "2027-06-30", "2026-12-20", /^waiver-expiring warning .*:22:14: /],
  [
    "licence of no list",
    source,
    "licence: MIT",
    "licence: Apache 2",
    /^licence-unknown warning .*:2:10: licence: "Apache 2" names "Apache", which is not on the SPDX licence list \| did you mean Apache-2.0\?$/,
  ],
  [
    "licence of old",
    source,
    "licence: MIT",
    "licence: GPL-2.0",
    /^licence-deprecated warning .*:2:10: .*\| write GPL-2.0-only/,
  ],
  [
    "licence with duties",
    source,
    "licence: MIT",
    "licence: MIT AND LGPL-2.1-or-later",
    /^licence-offer-source note .*:2:10: LGPL-2.1-or-later obliges whoever hands out the image to offer the source of tini/,
  ],
  [
    "image that is not pinned",
    dockerfile,
    "FROM scratch",
    "FROM debian",
    /^dockerfile error .*:3: FROM "debian" is neither/,
  ],
  [
    "download",
    dockerfile,
    "make -C /src",
    "set -e; CC=gcc apt-get -y install foo",
    /^dockerfile-network warning .*:2: RUN has "apt-get -y install", which goes to the network/,
  ],
  [
    "clock",
    dockerfile,
    "make -C /src",
    'make STAMP="$(date +%s)"',
    /^dockerfile-clock warning .*:2: RUN asks for the time/,
  ],
  [
    "address as an argument",
    recipe,
    "FLAVOUR: static",
    "FROM: https://a.example/b.tar",
    /^dockerfile-network warning .*:10:17: build.args.FROM: "https:\/\/a.example\/b.tar" is an address/,
  ],
  ["anchor", recipe, "source: tini", "source: &a tini", /^yaml error .*:3:12: the anchor &a is not used here/],
  [
    "other name",
    source,
    "source: tini",
    "source: other",
    /^name error .*:1:9: source: "other" is not the name of its file, "tini" \| rename one of the two$/,
  ],
])("%s", async (_what, file, from, to, expected) => {
  await using tree = await createRecipeTree();
  await tree.edit(file, from, to);
  const told = await found(tree);
  if (typeof expected === "string") expect(told).toContain(expected);
  else expect(told).toContainEqual(expect.stringMatching(expected));
});

test("what lies behind a link, or is no text, is refused and not read", async () => {
  await using tree = await createRecipeTree();
  await tree.write("elsewhere/source.yaml", "source: linked\n");
  await symlink("../elsewhere/source.yaml", join(tree.root, "vendor-sources/linked.yaml"));
  await rename(join(tree.root, "recipes/toolchains/debian-c"), join(tree.root, "elsewhere/debian-c"));
  await symlink("../../elsewhere/debian-c", join(tree.root, "recipes/toolchains/debian-c"));
  await tree.write("vendor-sources/tini.yaml", Buffer.from("source: tini\nlicence: \xff\n", "latin1"));
  expect((await found(tree)).filter((each) => each.startsWith("layout"))).toEqual([
    expect.stringMatching(
      /^layout error recipes.toolchains.debian-c.locks.trixie-20260912.yaml: lies behind a symbolic link/,
    ),
    expect.stringMatching(/^layout error recipes.toolchains.debian-c.toolchain.yaml: lies behind a symbolic link/),
    expect.stringMatching(/^layout error vendor-sources.linked.yaml: lies behind a symbolic link/),
    expect.stringMatching(/^layout error vendor-sources.tini.yaml:2: is not UTF-8 text/),
  ]);
});

test("commands that stay off the network and the clock are no problem", async () => {
  await using tree = await createRecipeTree();
  for (const command of [
    'date -u -d "@$SOURCE_DATE_EPOCH"',
    'make STAMP="$(date -u -d "@$SOURCE_DATE_EPOCH" +%F)"',
    "npm ci --offline && pip install --no-index .",
    "echo curl is not run && ./configure --without-curl",
    "rm -f /usr/bin/wget",
    "cargo build --offline",
  ]) {
    await tree.write(dockerfile, `FROM toolchain AS build\nRUN ${command}\n`);
    expect(await found(tree), command).toEqual([]);
  }
});

test("nothing is left out of an image that no upstream has", async () => {
  await using tree = await createRecipeTree();
  await tree.edit(recipe, "image: registry.example/library/tini", "none: it is ours");
  await tree.edit(recipe, "  extend:", "  omit: [{ platform: linux/386, reason: it differs }]\n  extend:");
  expect(await found(tree)).toContainEqual(
    expect.stringMatching(/^platform-omitted error .*:13:3: nothing can be left out/),
  );
});

test("digests expected of a platform that is not built", async () => {
  await using tree = await createRecipeTree();
  const keys = (platform: string): string => `    ${platform}:\n      manifest: ${digest}\n      buildKey: ${digest}\n`;
  const text = await readFile(join(tree.root, release), "utf8");
  await tree.write(
    release,
    `${text}expect:\n  index: ${digest}\n  platforms:\n${keys("linux/amd64")}${keys("linux/s390x")}`,
  );
  expect(await found(tree)).toEqual([
    expect.stringMatching(
      /^platform-expected warning .*:23:5: expect.platforms has linux\/s390x, which the recipe does not build/,
    ),
  ]);
});

test("what nothing pins needs an owner, a reason and a last day", async () => {
  await using tree = await createRecipeTree();
  const { lock = "" } = /lock: (?<lock>\S+)/.exec(await readFile(join(tree.root, release), "utf8"))?.groups ?? {};
  const sources = "recipes/toolchains/debian-c/sources";
  await mkdir(join(tree.root, sources));
  const pins = `sources:\n  - { name: apt, version: "3.0.3", missing: superseded }\nfiles: []\n`;
  await writeFile(join(tree.root, sources, `${lock}.yaml`), pins);
  expect(await found(tree)).toEqual([
    `ledger-missing warning ${recipe}:4:12: nothing pins the source packages apt of the lock debian-c/${lock} | pin them with refoundry toolchain sources where an archive has them, or put them under ledger:`,
  ]);
  const text = await readFile(join(tree.root, recipe), "utf8");
  const entry = `ledger:\n  - input: package-source\n    names: [apt]\n    reason: superseded\n    owner: us\n    expires: `;
  await writeFile(join(tree.root, recipe), `${text}${entry}2026-11-20\n`);
  expect(await found(tree)).toEqual([
    expect.stringMatching(
      /^ledger-open note .*: package-source apt: superseded \(until 2026-11-20\) \| us answers for it$/,
    ),
  ]);
  await writeFile(join(tree.root, recipe), `${text}${entry}2026-11-19\n`);
  expect(await found(tree)).toEqual([
    expect.stringMatching(/^ledger-missing warning /),
    expect.stringMatching(/^ledger-expired error .*: the ledger's entry for package-source apt expired on 2026-11-19/),
  ]);
  await rename(join(tree.root, sources, `${lock}.yaml`), join(tree.root, sources, "other.yaml"));
  expect((await found(tree)).join()).toMatch(/reference error .*has no lock "other"/);
});

test("recipes are named by their names, and what is neither is told with what is near", async () => {
  await using tree = await createRecipeTree();
  await tree.edit(recipe, "2027-06-30", "2026-11-19");
  await tree.edit(source, "licence: MIT", "licence: foo");
  const rules = async (paths: string[]): Promise<(string | undefined)[]> =>
    (await found(tree, paths)).map((each) => each.split(" ")[0]);
  expect(await rules(["tini"])).toEqual(["waiver-expired"]);
  expect(await rules([join(tree.root, source)])).toEqual(["licence-unknown"]);
  expect(await rules(["tini", tree.root])).toEqual(["waiver-expired", "licence-unknown"]);
  await expect(found(tree, ["tiny"])).rejects.toMatchObject({
    kind: "usage",
    problems: [{ message: "tiny is neither a recipe nor there", hint: 'did you mean "tini"?' }],
  });
});

test.each<[expression: string, expected: Partial<ReturnType<typeof readLicence>>]>([
  ["MIT", { offerSource: [], deprecated: [] }],
  ["mit", { offerSource: [] }],
  ["LicenseRef-Ours AND DocumentRef-a:LicenseRef-b", { offerSource: [] }],
  ["GPL-2.0-only WITH Classpath-exception-2.0", { offerSource: ["GPL-2.0-only"] }],
  ["MIT OR GPL-3.0-only", { offerSource: [] }],
  ["GPL-2.0-only OR GPL-3.0-only", { offerSource: ["GPL-2.0-only", "GPL-3.0-only"] }],
  ["MIT OR GPL-3.0-only AND BSD-2-Clause", { offerSource: [] }],
  ["(MIT OR GPL-3.0-only) AND MPL-2.0", { offerSource: ["MPL-2.0"] }],
  ["GPL-2.0+", { deprecated: [{ name: "GPL-2.0+", instead: "GPL-2.0-or-later" }] }],
  ["Apache-2.0+", { offerSource: [] }],
  ["", { unknown: "is no licence expression" }],
  ["MIT AND", { unknown: "ends where a licence is to follow" }],
  ["MIT Apache-2.0", { unknown: 'has "Apache-2.0" where AND, OR or the end is to be' }],
  ["(MIT", { unknown: "has a ( without its )" }],
  ["MIT)", { unknown: "has a ) without its (" }],
  ["OR MIT", { unknown: 'has "OR" where a licence is to be' }],
  ["Unlicence", { hint: 'did you mean "Unlicense"?' }],
  ["GPL-2.0-only WITH Classpath-exeption-2.0", { hint: 'did you mean "Classpath-exception-2.0"?' }],
])("licence %j", (expression, expected) => {
  const reading = readLicence(expression);
  expect(reading).toMatchObject(expected);
  expect(reading.unknown === undefined).toBe(expected.unknown === undefined && expected.hint === undefined);
});

test("the names of licences are those of the SPDX list", async () => {
  const path = "node_modules/@cyclonedx/cyclonedx-library/res/schema/spdx.SNAPSHOT.schema.json";
  const list = JSON.parse(await readFile(path, "utf8")) as { enum: string[] };
  expect([...spdxLicences, ...spdxExceptions]).toEqual(list.enum);
  expect(spdxExceptions.every((name) => !spdxLicences.includes(name))).toBe(true);
});

test("every rule says what it is about", () => {
  for (const [id, { title, help }] of Object.entries(lintRules)) {
    expect(id).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(title.length).toBeGreaterThan(10);
    expect(help).toMatch(/\.$/);
  }
});
