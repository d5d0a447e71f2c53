import { mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { expect, test } from "vitest";
import { file, testLayout, writeImage } from "../support/images.ts";
import { temporaryFolder } from "../support/temporary.ts";

const checkout = new URL("../..", import.meta.url).pathname;

const program = `
import { compare, type Comparison, differenceClasses } from "refoundry";
const [left = "", right = ""] = process.argv.slice(2);
const comparison: Comparison = await compare(left, right);
console.log(JSON.stringify({ level: comparison.level, known: differenceClasses.has("layer-split") }));
`;

test("the packed library is imported, typed and used by somebody else's program", async () => {
  const folder = await temporaryFolder();
  const installed = join(folder, "node_modules/refoundry");
  await mkdir(installed, { recursive: true });
  const { stdout } = await execa("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder], {
    cwd: checkout,
  });
  const archive = join(folder, stdout.trim().split("\n").at(-1) ?? "");
  await execa("tar", ["--extract", "--gzip", "--strip-components=1", "--file", archive, "--directory", installed]);
  // its dependencies, and the types of Node, from where they are installed already
  for (const name of await readdir(join(checkout, "node_modules")))
    if (!name.startsWith(".")) await symlink(join(checkout, "node_modules", name), join(folder, "node_modules", name));
  await writeFile(join(folder, "package.json"), '{"type":"module"}');
  await writeFile(join(folder, "program.ts"), program);
  const tsc = join(checkout, "node_modules/.bin/tsc");
  const options = [
    "--noEmit",
    "--strict",
    "--module",
    "nodenext",
    "--target",
    "es2024",
    "--types",
    "node",
    "--skipLibCheck",
  ];
  await execa(tsc, [...options, "program.ts"], { cwd: folder });

  const layout = await testLayout();
  const [a, b] = [
    await writeImage(layout, { layers: [[file("a"), file("b")]] }),
    await writeImage(layout, { layers: [[file("a")], [file("b")]] }),
  ];
  await layout.writeIndex({ schemaVersion: 2, manifests: [a, b] });
  const name = ({ digest }: { readonly digest: string }): string => `oci:${layout.path}@${digest}`;
  const said = await execa(process.execPath, ["program.ts", name(a), name(b)], { cwd: folder });
  expect(JSON.parse(said.stdout)).toEqual({ level: "filesystem", known: true });
});
