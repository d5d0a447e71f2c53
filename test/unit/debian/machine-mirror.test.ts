import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findMachineMirror } from "../../../src/debian/machine-mirror.ts";
import { temporaryFolder } from "../../support/temporary.ts";

async function aptFolder(files: Record<string, string>): Promise<string> {
  const folder = await temporaryFolder();
  await mkdir(join(folder, "sources.list.d"));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

test("a deb822 source signed by Debian's key is the mirror, not the security archive", async () => {
  const folder = await aptFolder({
    "sources.list.d/debian.sources": [
      "Types: deb\nURIs: http://mirror.example/debian-security\nSuites: bookworm-security\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg",
      "Types: deb\n# a comment\nURIs: http://mirror.example/debian/\nSuites: bookworm\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg",
    ].join("\n\n"),
  });
  expect(await findMachineMirror(folder)).toBe("http://mirror.example/debian");
});

test("a one-line source is read with its options, commented ones are not", async () => {
  const folder = await aptFolder({
    "sources.list":
      "# deb http://wrong.example/debian bookworm main\ndeb [arch=amd64 signed-by=/x.gpg] https://right.example/debian bookworm main contrib\n",
  });
  expect(await findMachineMirror(folder)).toBe("https://right.example/debian");
});

test("other vendors' archives and disabled sources are passed over", async () => {
  const folder = await aptFolder({
    "sources.list": "deb https://vendor.example/apt stable main\n",
    "sources.list.d/a.sources":
      "Enabled: no\nTypes: deb\nURIs: http://off.example/debian\nSuites: bookworm\nComponents: main\n",
  });
  await expect(findMachineMirror(folder)).rejects.toThrow(/no Debian mirror is known[\s\S]*REFOUNDRY_DEBIAN_MIRROR/);
});
