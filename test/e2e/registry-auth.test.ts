import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { digestOf } from "../../src/oci/digest.ts";
import { createRegistryClient, type RegistryClientOptions } from "../../src/oci/registry/client.ts";
import type { Credential } from "../../src/oci/registry/credentials.ts";
import type { Repository } from "../../src/oci/repository.ts";
import { type Descriptor, mediaTypes } from "../../src/oci/types.ts";
import { type Handler, startRegistry, startServer, testAccount, type TestServer } from "../support/registry.ts";
import { failureOf } from "../support/registry-images.ts";
import { temporaryFolder } from "../support/temporary.ts";

const retry = { retries: 1, firstDelay: 5, longestWait: 2 };

function open(host: string, options: RegistryClientOptions, repository = "team/app"): Repository {
  const client = createRegistryClient({ retry, ...options });
  onTestFinished(() => client.close());
  return client.repository({ host, repository });
}

async function registry(options: Parameters<typeof startRegistry>[0] = {}): Promise<string> {
  const started = await startRegistry(options);
  onTestFinished(() => started.stop());
  return started.host;
}

async function server(options: Parameters<typeof startServer>[0]): Promise<TestServer> {
  const started = await startServer(options);
  onTestFinished(() => started.stop());
  return started;
}

function randomBlob(): { readonly blob: Descriptor; readonly open: () => AsyncGenerator<Uint8Array> } {
  const bytes = randomBytes(200_000);
  async function* content(): AsyncGenerator<Uint8Array> {
    yield bytes;
  }
  return { blob: { mediaType: mediaTypes.layer, digest: digestOf(bytes), size: bytes.length }, open: content };
}

describe("basic authentication", () => {
  async function configure(host: string, password: string): Promise<{ readonly DOCKER_CONFIG: string }> {
    const folder = await temporaryFolder();
    const auth = Buffer.from(`${testAccount.username}:${password}`).toString("base64");
    await writeFile(join(folder, "config.json"), JSON.stringify({ auths: { [host]: { auth } } }));
    return { DOCKER_CONFIG: folder };
  }

  test("with what docker login keeps: pushes and reads", async () => {
    const host = await registry({ auth: "htpasswd" });
    const repository = open(host, { env: await configure(host, testAccount.password) });
    const { blob, open: content } = randomBlob();
    expect(await repository.pushBlob(blob, content)).toBe(blob.size);
    const bytes = Buffer.concat(await Array.fromAsync(repository.openBlob(blob)));
    expect(digestOf(bytes)).toBe(blob.digest);
  });

  test("with a wrong password or none: says how to log in, and never the password", async () => {
    const host = await registry({ auth: "htpasswd" });
    const wrong = await failureOf(open(host, { env: await configure(host, "wr0ng-secret") }).resolve("1"));
    expect(wrong.message).toMatch(
      new RegExp(`${host} refuses access to ${host}/team/app.*do not suffice[^]*docker login ${host}`),
    );
    expect(wrong.message).not.toMatch(/wr0ng-secret|dGVzdGVyOn/);
    const other = await configure("another.example", testAccount.password);
    const none = await failureOf(open(host, { env: other }).resolve("1"));
    expect(none.message).toMatch(/no credentials for it[^]*docker login/);
  });
});

/** A registry that wants bearer tokens, and the token server that gives them. */
async function bearerRegistry(
  options: { readonly seconds?: number; readonly tokens?: Handler; readonly extraScope?: string } = {},
): Promise<{
  readonly front: TestServer;
  readonly tokens: TestServer;
  readonly forms: URLSearchParams[];
  revoke(): void;
}> {
  const behind = await registry();
  const forms: URLSearchParams[] = [];
  const given = new Map<string, readonly string[]>();
  const tokens = await server({
    handle: async (request, response, seen) => {
      if (await options.tokens?.(request, response, seen)) return true;
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const form =
        request.method === "POST"
          ? new URLSearchParams(Buffer.concat(chunks).toString())
          : new URL(seen.path, "http://x").searchParams;
      forms.push(form);
      const token = randomBytes(16).toString("hex");
      given.set(
        token,
        form.getAll("scope").flatMap((scope) => scope.split(" ")),
      );
      const answer = {
        [request.method === "POST" ? "access_token" : "token"]: token,
        ...(options.seconds !== undefined && { expires_in: options.seconds }),
      };
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
      return true;
    },
  });
  const front = await server({
    behind,
    handle: (request, response, { method, path, authorization }) => {
      const [, name] = /^\/v2\/(.+?)\/(?:blobs|manifests)\//.exec(path) ?? [];
      const needed = `repository:${name}:${method === "GET" || method === "HEAD" ? "pull" : "pull,push"}`;
      const has = given.get(authorization?.replace(/^Bearer /, "") ?? "") ?? [];
      const wanted = options.extraScope === undefined ? [needed] : [needed, options.extraScope];
      if (wanted.every((scope) => has.some((own) => own.startsWith(scope)))) return false;
      request.resume();
      const challenge = `Bearer realm="http://${tokens.host}/token",service="the registry",scope="${wanted.join(" ")}"`;
      response.writeHead(401, { "www-authenticate": challenge, "content-type": "application/json" });
      response.end(`{"errors":[{"code":"UNAUTHORIZED","message":"you sent ${authorization}"}]}`);
      return true;
    },
  });
  return { front, tokens, forms, revoke: () => given.clear() };
}

const source =
  (credential: Credential | undefined): (() => Promise<Credential | undefined>) =>
  async () =>
    credential;

describe("bearer tokens", () => {
  test("are fetched once for each scope, and again when they are refused", async () => {
    const { front, tokens, forms, revoke } = await bearerRegistry({ seconds: 300 });
    const repository = open(front.host, { credentials: source({ kind: "basic", username: "me", password: "pw" }) });
    const contents = [randomBlob(), randomBlob(), randomBlob(), randomBlob()];
    await Promise.all(contents.map(({ blob, open: content }) => repository.pushBlob(blob, content)));
    await Promise.all(contents.map(async ({ blob }) => Array.fromAsync(repository.openBlob(blob))));
    expect(forms.map((form) => form.getAll("scope"))).toEqual([
      ["repository:team/app:pull,push"],
      ["repository:team/app:pull"],
    ]);
    expect(forms[0]?.get("service")).toBe("the registry");
    expect(new Set(tokens.seen.map(({ authorization }) => authorization))).toEqual(
      new Set([`Basic ${Buffer.from("me:pw").toString("base64")}`]),
    );
    expect(
      front.seen.every(({ authorization }) => authorization === undefined || authorization.startsWith("Bearer ")),
    ).toBe(true);
    revoke();
    expect(await repository.hasBlob(contents[0]?.blob ?? expect.fail())).toBe(true);
    expect(forms).toHaveLength(3);
  });

  test("that end are renewed before they are used", async () => {
    const { front, forms } = await bearerRegistry({ seconds: 0.2 });
    const repository = open(front.host, { credentials: source(undefined) });
    await repository.hasManifest("1");
    await new Promise((resolve) => setTimeout(resolve, 250));
    await repository.hasManifest("1");
    expect(forms).toHaveLength(2);
    expect(front.seen.filter(({ authorization }) => authorization === undefined)).toHaveLength(1);
  });

  test("are given to nobody's requests too, without credentials", async () => {
    const { front, tokens } = await bearerRegistry();
    expect(await open(front.host, { credentials: source(undefined) }).hasManifest("1")).toBe(false);
    expect(tokens.seen.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  test("are had for an identity token by the oauth2 form", async () => {
    const { front, tokens, forms } = await bearerRegistry();
    expect(
      await open(front.host, { credentials: source({ kind: "identity-token", token: "idt" }) }).hasManifest("1"),
    ).toBe(false);
    expect(tokens.seen.map(({ method, path }) => `${method} ${path}`)).toEqual(["POST /token"]);
    expect(Object.fromEntries(forms[0] ?? [])).toMatchObject({
      grant_type: "refresh_token",
      refresh_token: "idt",
      scope: "repository:team/app:pull",
    });
  });

  test("for more than we would ask for are asked as the registry says", async () => {
    const { front, forms } = await bearerRegistry({ extraScope: "registry:catalog:*" });
    const repository = open(front.host, { credentials: source(undefined) });
    await repository.hasManifest("1");
    await repository.hasManifest("2");
    expect(forms.map((form) => form.getAll("scope"))).toEqual([["repository:team/app:pull", "registry:catalog:*"]]);
    expect(front.seen).toHaveLength(3);
  });

  test("mounting asks for both repositories", async () => {
    const { front, forms } = await bearerRegistry();
    const { blob, open: content } = randomBlob();
    const options = { credentials: source(undefined) };
    await open(front.host, options, "from/here").pushBlob(blob, content);
    forms.length = 0;
    expect(await open(front.host, options, "to/there").pushBlob(blob, content, { mountFrom: "from/here" })).toBe(0);
    expect(forms.at(-1)?.getAll("scope")).toEqual(["repository:to/there:pull,push", "repository:from/here:pull"]);
  });

  test("refused by the token server say so; a token that the registry echoes is not shown", async () => {
    const refusing = await bearerRegistry({
      tokens: (_, response) => {
        response.writeHead(401).end("pw");
        return true;
      },
    });
    const credential: Credential = { kind: "basic", username: "me", password: "secret-pw" };
    const refused = await failureOf(open(refusing.front.host, { credentials: source(credential) }).resolve("1"));
    expect(refused.message).toMatch(
      new RegExp(`refuses access.*401 from its token server ${refusing.tokens.host}[^]*docker login`),
    );

    const registryToken: Credential = { kind: "registry-token", token: "very-secret-token" };
    const echoed = await failureOf(open(refusing.front.host, { credentials: source(registryToken) }).resolve("1"));
    expect(echoed.message).toContain("you sent Bearer [secret]");
    expect(echoed.message).not.toContain("very-secret-token");
  });

  test.each([
    ["http://192.0.2.1/token", /not https: http:\/\/192\.0\.2\.1/],
    ["https://me:pw@auth.example/token", /holds credentials/],
    ["nonsense", /is no URL/],
  ])("are not asked for at %s", async (realm, message) => {
    const front = await server({
      handle: (_, response) => {
        response.writeHead(401, { "www-authenticate": `Bearer realm="${realm}"` }).end();
        return true;
      },
    });
    let asked = 0;
    const credentials = async (): Promise<undefined> => void asked++;
    expect((await failureOf(open(front.host, { credentials }).resolve("1"))).message).toMatch(message);
    expect(asked).toBe(0);
  });

  test("a token server's bad day passes; an answer without a token does not", async () => {
    let calls = 0;
    const tired = await bearerRegistry({
      tokens: (_, response) => {
        if (calls++ > 0) return false;
        response.writeHead(503).end();
        return true;
      },
    });
    expect(await open(tired.front.host, { credentials: source(undefined) }).hasManifest("1")).toBe(false);
    const odd = await bearerRegistry({
      tokens: (_, response) => {
        response.writeHead(200).end('{"token": "a\\r\\nb: c"}');
        return true;
      },
    });
    expect((await failureOf(open(odd.front.host, { credentials: source(undefined) }).resolve("1"))).message).toMatch(
      /cannot go into a header/,
    );
  });
});
