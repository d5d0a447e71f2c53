import { stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeFolder } from "../../../src/process/make-folder.ts";
import { temporaryFolder } from "../../support/temporary.ts";

test("all that is missing is made, and what is there is left", async () => {
  const folder = await temporaryFolder();
  const path = join(folder, "a/b/c");
  for (let time = 0; time < 2; time++) await makeFolder(path);
  expect((await stat(path)).isDirectory()).toBe(true);
});

test("what cannot be made is named, and is no endless work", async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "file"), "");
  await symlink("nowhere", join(folder, "dangling"));
  for (const path of [join(folder, "file"), join(folder, "file/below"), join(folder, "dangling"), "/proc/none/below"])
    await expect(makeFolder(path), path).rejects.toMatchObject({ kind: "infrastructure" });
});
