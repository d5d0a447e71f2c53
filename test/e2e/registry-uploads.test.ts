import { randomBytes } from "node:crypto";
import { describe, expect, onTestFinished, test } from "vitest";
import { digestOf } from "../../src/oci/digest.ts";
import { createRegistryClient, type RegistryClientOptions } from "../../src/oci/registry/client.ts";
import type { Repository } from "../../src/oci/repository.ts";
import { mediaTypes } from "../../src/oci/types.ts";
import { type Handler, startRegistry, startServer, type TestServer } from "../support/registry.ts";
import { failureOf, layerOf, pieces, push, randomImage, readAll } from "../support/registry-images.ts";
import { startUploadServer, type UploadHabits, type UploadServer } from "../support/registry-uploads.ts";

const retry = { retries: 3, firstDelay: 5, longestWait: 2 };
const bytes = randomBytes(3_000_000);
const blob = { digest: digestOf(bytes), size: bytes.length };

function open(host: string, repository = "team/app", options: RegistryClientOptions = {}): Repository {
  const client = createRegistryClient({ env: { DOCKER_CONFIG: "/nonexistent" }, retry, ...options });
  onTestFinished(() => client.close());
  return client.repository({ host, repository });
}

async function uploads(habits: UploadHabits = {}): Promise<UploadServer> {
  const server = await startUploadServer(habits);
  onTestFinished(() => server.stop());
  return server;
}

async function server(options: Parameters<typeof startServer>[0]): Promise<TestServer> {
  const started = await startServer(options);
  onTestFinished(() => started.stop());
  return started;
}

describe("a large blob", () => {
  const large = { resumableBytes: 1_000_000 };

  test("goes in one PATCH and is there, also at distribution's registry", async () => {
    const registry = await startRegistry();
    onTestFinished(() => registry.stop());
    const front = await server({ behind: registry.host });
    const image = randomImage(3_000_000);
    const repository = open(front.host, "large", large);
    await push(repository, image, "1");
    const [layer, content] = layerOf(image);
    expect((await readAll(repository, layer)).equals(content)).toBe(true);
    expect(front.seen.filter(({ method }) => method === "PATCH")).toHaveLength(1);
    const fresh = randomImage(3_000_000);
    const before = front.seen.length;
    await repository.pushBlob(layerOf(fresh)[0], () => pieces(layerOf(fresh)[1]));
    expect(front.seen.slice(before).map(({ method }) => method)).toEqual(["HEAD", "POST", "PATCH", "PUT"]);
  });

  test("goes on where it broke off, however often", async () => {
    const registry = await uploads({ cuts: [1_000_000, 500_000, 1, 700_000] });
    let opened = 0;
    const source = (): AsyncIterable<Uint8Array> => {
      opened++;
      return pieces(bytes);
    };
    expect(await open(registry.host, "a", large).pushBlob(blob, source)).toBe(blob.size);
    expect(registry.blobs.get(blob.digest)?.equals(bytes)).toBe(true);
    expect(registry.received()).toBe(blob.size);
    expect(opened).toBe(5);
    expect(registry.seen).toEqual([
      "HEAD",
      "POST",
      "PATCH",
      ...["1000000", "1500000", "1500001", "2200001"].flatMap((at) => ["GET", `PATCH ${at}-2999999`]),
      "PUT",
    ]);
  });

  test("begins again where the registry forgets what broke off", async () => {
    const registry = await uploads({ cuts: [1_000_000, 500_000], forgets: true });
    expect(await open(registry.host, "a", large).pushBlob(blob, () => pieces(bytes))).toBe(blob.size);
    expect(registry.blobs.get(blob.digest)?.equals(bytes)).toBe(true);
    expect(registry.seen.filter((request) => request === "POST")).toHaveLength(3);
  });

  test.each([400, 404, 405, 416, 501])("goes in one PUT where PATCH is answered with %i", async (refusesPatch) => {
    const registry = await uploads({ refusesPatch });
    expect(await open(registry.host, "a", large).pushBlob(blob, () => pieces(bytes))).toBe(blob.size);
    expect(registry.seen).toEqual(["HEAD", "POST", "PATCH", "POST", "PUT"]);
    expect(registry.blobs.get(blob.digest)?.equals(bytes)).toBe(true);
  });

  test("that the registry put together wrongly goes in one PUT", async () => {
    const registry = await uploads({ cuts: [1_000_000], loses: true });
    expect(await open(registry.host, "a", large).pushBlob(blob, () => pieces(bytes))).toBe(blob.size);
    expect(registry.seen).toEqual(["HEAD", "POST", "PATCH", "GET", "PATCH 1000000-2999999", "PUT", "POST", "PUT"]);
    expect(registry.blobs.get(blob.digest)?.equals(bytes)).toBe(true);
  });

  test("that is not what its digest says is blamed on us, also after a break", async () => {
    const registry = await uploads({ cuts: [1_000_000] });
    const changed = Buffer.from(bytes);
    changed[10] = (changed[10] ?? 0) ^ 1;
    const failure = await failureOf(open(registry.host, "a", large).pushBlob(blob, () => pieces(changed)));
    expect(failure.message).toMatch(/^blob for .*\/a has digest/);
    expect(registry.blobs.size).toBe(0);
  });

  test("that breaks off again and again fails in the end, and an abort ends it at once", async () => {
    const registry = await uploads({ cuts: Array.from({ length: 100 }, () => 0), forgets: true });
    const failure = await failureOf(open(registry.host, "a", large).pushBlob(blob, () => pieces(bytes)));
    expect(failure.message).toMatch(/the connection to the registry .*tried 4 times/);
    const slow = await server({
      handle: (_, response, { method }) => {
        if (method === "POST") response.writeHead(202, { location: "/u" }).end();
        return method !== "HEAD";
      },
    });
    const signal = AbortSignal.timeout(200);
    await expect(open(slow.host, "a", large).pushBlob(blob, () => pieces(bytes), { signal })).rejects.toMatchObject({
      kind: "interrupted",
    });
  });
});

describe("odd addresses of uploads", () => {
  test.each<[string, (path: string, host: string) => string]>([
    ["absolute, with a query", (path, host) => `http://${host}${path}`],
    ["without the scheme", (path, host) => `//${host}${path}`],
    ["relative to the request", (path) => path.slice(path.indexOf("u1"))],
    ["with credentials", (path, host) => `http://me:pw@${host}${path}`],
  ])("%s", async (_, adapt) => {
    let host = "";
    const registry = await uploads({ location: (path) => adapt(path, host) });
    ({ host } = registry);
    for (const resumableBytes of [1, 10_000_000]) {
      const [layer, content] = layerOf(randomImage());
      await open(host, "a", { resumableBytes }).pushBlob(layer, () => pieces(content));
      expect(registry.blobs.get(layer.digest)?.equals(content)).toBe(true);
    }
  });

  test("none at all, or one that everybody could read", async () => {
    const silent = await uploads({ location: () => undefined });
    expect((await failureOf(open(silent.host).pushBlob(blob, () => pieces(bytes)))).message).toMatch(
      new RegExp(
        `${silent.host} sends us for the blob ${blob.digest} of ${silent.host}/team/app to an address that is missing`,
      ),
    );
    const open80 = await uploads({ location: () => "http://192.0.2.1/upload?sig=SECRET" });
    const { message } = await failureOf(open(open80.host).pushBlob(blob, () => pieces(bytes)));
    expect(message).toMatch(/not https: http:\/\/192\.0\.2\.1/);
    expect(message).not.toContain("SECRET");
  });
});

describe("a registry that does not take it", () => {
  const json = (status: number, code: string, message: string): Handler => {
    return (request, response, { method }) => {
      request.resume();
      if (method === "HEAD") response.writeHead(404).end();
      else response.writeHead(status).end(JSON.stringify({ errors: [{ code, message }] }));
      return true;
    };
  };
  const basic = async (): Promise<{ kind: "basic"; username: string; password: string }> => ({
    kind: "basic",
    username: "me",
    password: "pw",
  });

  test.each([
    [413, "", "", /finds the (blob|manifest) .* too large[^]*have the limit raised/],
    [403, "DENIED", "storage quota exceeded", /has no room left for .*team\/app[^]*free space/],
    [507, "", "", /has no room left/],
    [403, "DENIED", "requested access is denied", /does not let us write to .*team\/app .*no credentials[^]*log in/],
    [405, "UNSUPPORTED", "The operation is unsupported", /takes nothing for .*read-only[^]*made writable/],
    [404, "NAME_UNKNOWN", "no such repository", /has no repository team\/app, and makes none[^]*create the repository/],
    [429, "TOOMANYREQUESTS", "slow down", /limits requests.*tried 4 times[^]*try again later/],
    [500, "UNKNOWN", "oops", /answered 500 UNKNOWN: oops.*tried 4 times[^]*run the same command again/],
    [418, "", "", /answered 418/],
  ])("%i %s %s", async (status, code, text, message) => {
    const front = await server({ handle: json(status, code, text) });
    for (const failure of [
      await failureOf(open(front.host).pushBlob(blob, () => pieces(bytes))),
      await failureOf(open(front.host).pushManifest(Buffer.from("{}"), mediaTypes.manifest, "1")),
    ]) {
      expect(failure.message).toMatch(message);
      expect(failure.message).toContain(front.host);
      expect(failure.message).toContain("team/app");
    }
  });

  test("a user who may read only, and a wrong password", async () => {
    const challenge: Handler = (request, response, { method }) => {
      request.resume();
      if (request.headers.authorization === undefined)
        response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
      else response.writeHead(method === "HEAD" ? 404 : 403).end();
      return true;
    };
    const front = await server({ handle: challenge });
    const failure = await failureOf(
      open(front.host, "team/app", { credentials: basic }).pushBlob(blob, () => pieces(bytes)),
    );
    expect(failure.message).toMatch(
      new RegExp(
        `${front.host} does not let us write to ${front.host}/team/app .*do not suffice[^]*may push to team/app`,
      ),
    );
    const registry = await startRegistry({ auth: "htpasswd" });
    onTestFinished(() => registry.stop());
    const wrong = await failureOf(
      open(registry.host, "team/app", { credentials: basic }).pushBlob(blob, () => pieces(bytes)),
    );
    expect(wrong.message).toMatch(/not accepted or do not suffice[^]*check user name and password.*docker login 127/);
  });

  test("stores something else, or says 202 and stores nothing", async () => {
    const other = await server({
      handle: (request, response, { method }) => {
        request.resume();
        if (method === "HEAD") response.writeHead(404).end();
        else if (method === "POST") response.writeHead(202, { location: "/u" }).end();
        else request.on("end", () => response.writeHead(201, { "docker-content-digest": digestOf("x") }).end());
        return true;
      },
    });
    const message = new RegExp(`stored the .* of ${other.host}/team/app as sha256:2d71.*not what we sent`);
    expect((await failureOf(open(other.host).pushBlob(blob, () => pieces(bytes)))).message).toMatch(message);
    expect(
      (await failureOf(open(other.host).pushManifest(Buffer.from("{}"), mediaTypes.manifest, "1"))).message,
    ).toMatch(message);
    const late = await server({ handle: json(202, "", "") });
    expect(
      (await failureOf(open(late.host).pushManifest(Buffer.from("{}"), mediaTypes.manifest, "1"))).message,
    ).toMatch(/took the manifest 1 .*\(202\), and does not have it; tried 4 times/);
  });

  test("says 202 and stores it a little later", async () => {
    const registry = await startRegistry();
    onTestFinished(() => registry.stop());
    const image = randomImage();
    await push(open(registry.host, "late"), image, "0");
    const front = await server({
      behind: registry.host,
      handle: async (request, response, { method, path }) => {
        if (method !== "PUT" || !path.includes("/manifests/")) return false;
        const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>));
        await fetch(`http://${registry.host}${path}`, {
          method,
          body,
          headers: { "content-type": mediaTypes.manifest },
        });
        response.writeHead(202).end();
        return true;
      },
    });
    await push(open(front.host, "late"), image, "1");
    expect(front.seen.slice(-3).map(({ method }) => method)).toEqual(["HEAD", "PUT", "HEAD"]);
  });
});
