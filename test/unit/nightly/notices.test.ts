import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { expiringWaivers, platformsUpstreamAdded } from "../../../src/nightly/notices.ts";
import { digestOf } from "../../../src/oci/digest.ts";
import { parsePlatform, type PlatformName } from "../../../src/oci/platform.ts";
import { createRegistryClient } from "../../../src/oci/registry/client.ts";
import { mediaTypes } from "../../../src/oci/types.ts";
import { loadRecipe } from "../../../src/recipe/load.ts";
import { createRecipeTree } from "../../support/recipes.ts";

/** Serves one index under every tag, as a registry does, and gives the registry's host. */
async function serveIndex(platforms: readonly PlatformName[]): Promise<string> {
  const manifests = platforms.map((platform) => ({
    mediaType: mediaTypes.manifest,
    digest: digestOf(platform),
    size: 1,
    platform: parsePlatform(platform),
  }));
  const bytes = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests });
  const server = createServer((request, response) => {
    if (!request.url?.startsWith("/v2/library/tini/manifests/")) return void response.writeHead(404).end();
    response.writeHead(200, { "content-type": mediaTypes.index, "docker-content-digest": digestOf(bytes) }).end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("what upstream has and a recipe adds, or does not name at all, is noticed; what it leaves out is known", async () => {
  const host = await serveIndex([
    "linux/amd64",
    "linux/arm64",
    "linux/386",
    "linux/riscv64",
    "linux/s390x",
    "unknown/unknown",
    "windows/amd64",
  ]);
  await using tree = await createRecipeTree();
  const file = "recipes/images/tini/recipe.yaml";
  await tree.edit(file, "registry.example/library/tini", `${host}/library/tini`);
  await tree.edit(file, "  extend:", "  omit: [{ platform: linux/386, reason: it differs }]\n  extend:");
  const client = createRegistryClient({ env: { DOCKER_CONFIG: "/nonexistent" } });
  onTestFinished(() => client.close());
  const recipe = await loadRecipe(tree.root, "tini");
  const notices = await platformsUpstreamAdded(recipe, "0.19.0", client, new AbortController().signal);
  expect(notices.map(({ code, sentence }) => `${code}: ${sentence}`)).toEqual([
    "upstream-added-platform: upstream releases linux/riscv64 now, so that ours can be retired: move it from platforms.extend to platforms.reproduce, and whatever is pinned from then on carries upstream's image and compares ours with it; 0.19.0 stays as it is out, unless refoundry pin tini 0.19.0 --replace",
    "upstream-added-platform: upstream releases linux/s390x: add it to platforms.reproduce, or to platforms.omit with the reason",
  ]);
});

test("a waiver that ends soon is noticed, with the platforms that it is for", async () => {
  await using tree = await createRecipeTree();
  await tree.edit(
    "recipes/images/tini/recipe.yaml",
    "waivers:\n",
    "waivers:\n  - { class: x, paths: [/a], platforms: [linux/arm64], reason: r, owner: me, expires: 2027-01-31 }\n",
  );
  const notices = expiringWaivers(await loadRecipe(tree.root, "tini"), "2027-01-02");
  expect(notices).toEqual([
    {
      code: "waiver-expires",
      recipe: "tini",
      sentence: "the waiver of x on linux/arm64 ends on 2027-01-31; me has to mend its cause or renew it",
    },
  ]);
});
