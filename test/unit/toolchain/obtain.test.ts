import { join } from "node:path";
import { expect, test } from "vitest";
import { openMirror } from "../../../src/debian/mirror.ts";
import { silent } from "../../../src/events.ts";
import { digestOf, hexOf } from "../../../src/oci/digest.ts";
import { createRegistryClient } from "../../../src/oci/registry/client.ts";
import { openStore } from "../../../src/store/store.ts";
import { obtainToolchain } from "../../../src/toolchain/obtain.ts";
import { serveFiles } from "../../support/file-server.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const digest = `sha256:${"1".repeat(64)}` as const;

test.each([
  ["another package than is locked", Buffer.from("evil package"), /changed or damaged/],
  ["one that is cut short", Buffer.from("good"), /changed or damaged|bytes/],
  ["none", undefined, /no longer has pool\/main\/a\/a_1_amd64\.deb/],
])("a mirror that gives %s: it is named, and no toolchain is made", async (_, served, expected) => {
  const folder = await temporaryFolder();
  const store = await openStore(join(folder, "store"));
  const path = "pool/main/a/a_1_amd64.deb";
  const good = Buffer.from("good package");
  const address = await serveFiles(new Map(served ? [[path, served]] : []));
  const lock = {
    suite: "trixie",
    epoch: 0,
    architecture: "amd64",
    foreign: [],
    digest,
    packages: [
      { path, size: good.length, sha256: hexOf(digestOf(good)), name: "a", version: "1", architecture: "amd64" },
    ],
  };
  const registry = createRegistryClient({ env: {} });
  const made = obtainToolchain(
    {
      toolchain: {
        toolchain: "c",
        debian: { suite: "trixie", also: [], architecture: "amd64", foreign: [], packages: ["a"] },
      },
      digest,
      lock,
    },
    {
      store,
      registry,
      mirror: openMirror(store.blobs, () => Promise.resolve(address)),
      temporaryFolder: join(folder, "tmp"),
      unpack: () => Promise.reject(new Error("nothing is to be unpacked")),
      emit: silent,
    },
  );
  // without root it does not come as far as asking
  await expect(made).rejects.toThrow(process.getuid?.() === 0 ? expected : /needs root/);
  expect(await store.readRecord("toolchains", digest)).toBeUndefined();
  await registry.close();
});
