import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseSelector, selectReleases } from "../../../src/recipe/range.ts";
import { isInRange, parseRange } from "../../../src/recipe/version-range.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const there = ["3.3.9", "3.4", "3.4.0", "3.4.10", "3.5.1", "3.6-rc1", "3.6.0-rc1", "3.6.0", "3.40.1"];

test.each([
  ["all", there],
  ["*", there],
  [">=3.4 <3.6", ["3.4", "3.4.0", "3.4.10", "3.5.1"]],
  [">= 3.4, < 3.6", ["3.4", "3.4.0", "3.4.10", "3.5.1"]],
  ["3.4.*", ["3.4", "3.4.0", "3.4.10"]],
  [">3.5.1", ["3.6-rc1", "3.6.0-rc1", "3.6.0", "3.40.1"]],
  ["<=3.4.0", ["3.3.9", "3.4", "3.4.0"]],
  ["<3.6.0 >3.5.1", []],
  ["<3.6.0-rc2 >3.5.1", ["3.6-rc1", "3.6.0-rc1"]],
  ["3.3.* || =3.6.0", ["3.3.9", "3.6.0"]],
])("%s", (text, expected) => {
  expect(there.filter((version) => isInRange(version, parseRange(text)))).toEqual(expected);
});

test("a leading v does not count, in the range or in the version", () => {
  expect(isInRange("v3.4.1", parseRange("3.4.*"))).toBe(true);
  expect(isInRange("3.4.1", parseRange("v3.4.*"))).toBe(true);
});

test("a version is below a bound or not, never both, and every pre-release of a bound is not below it", () => {
  const number = fc.nat({ max: 50 });
  const version = fc.tuple(number, number, number).map((parts) => parts.join("."));
  fc.assert(
    fc.property(version, version, (one, bound) => {
      expect(isInRange(one, parseRange(`<${bound}`))).toBe(!isInRange(one, parseRange(`>=${bound}`)));
      expect(isInRange(`${bound}-rc1`, parseRange(`<${bound}`))).toBe(false);
    }),
  );
});

test.each(["etcd@", "@>=1", "etcd@>=", "etcd@>=1 ||", "etcd@>=1.*", "etcd@>=../x", "Etcd@>=1", "etcd@<>1"])(
  "%s is refused with the forms that there are",
  (text) => {
    expect(() => parseSelector(text)).toThrow(/is not|names no recipe/);
  },
);

test("releases of a factory are selected oldest first; none in the range says which there are", async () => {
  const root = await temporaryFolder();
  const folder = join(root, "recipes/images/etcd/releases");
  await mkdir(folder, { recursive: true });
  for (const version of there) await writeFile(join(folder, `${version}.yaml`), "");
  const versions = async (argument: string) => (await selectReleases(root, argument)).map(({ version }) => version);
  expect(await versions("etcd")).toEqual(["3.40.1"]);
  expect(await versions("etcd@3.4.0")).toEqual(["3.4.0"]);
  expect(await versions("etcd@3.4.*")).toEqual(["3.4", "3.4.0", "3.4.10"]);
  expect(await versions("etcd@all")).toHaveLength(there.length);
  await expect(selectReleases(root, "etcd@>=9")).rejects.toMatchObject({
    kind: "usage",
    problems: [{ hint: expect.stringContaining("3.40.1") }],
  });
  await expect(selectReleases(root, "etdc@all")).rejects.toMatchObject({
    kind: "usage",
    problems: [{ message: 'there is no recipe "etdc"' }],
  });
});
