import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Agent } from "undici";
import { expect, onTestFinished, test } from "vitest";
import { newAddressOf } from "../../../src/nightly/renamed.ts";

/** A forge: `/old/...` is `/new/...` now, `/login` wants one, and the rest is there. */
async function serveForge(): Promise<string> {
  const server = createServer((request, response) => {
    const { pathname, search } = new URL(request.url ?? "/", "http://x");
    if (pathname === "/same/info/refs") response.writeHead(301, { location: `/same.git/info/refs${search}` }).end();
    else if (pathname.startsWith("/old/"))
      response.writeHead(301, { location: `/new/${pathname.slice("/old/".length)}${search}` }).end();
    else if (pathname.startsWith("/login/")) response.writeHead(302, { location: "/sign-in" }).end();
    else response.writeHead(200, { "content-type": "application/x-git-upload-pack-advertisement" }).end("001e#");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("a repository that its server redirects is somewhere else now", async () => {
  const forge = await serveForge();
  const dispatcher = new Agent();
  expect(await newAddressOf(`${forge}/old/tool.git`, dispatcher)).toBe(`${forge}/new/tool.git`);
  expect(await newAddressOf(`${forge}/new/tool.git`, dispatcher)).toBeUndefined();
  expect(await newAddressOf(`${forge}/same`, dispatcher)).toBeUndefined();
  expect(await newAddressOf(`${forge}/login/tool`, dispatcher)).toBeUndefined();
  expect(await newAddressOf("file:///srv/tool", dispatcher)).toBeUndefined();
  expect(await newAddressOf("http://127.0.0.1:9/tool", dispatcher)).toBeUndefined();
  await dispatcher.destroy();
});
