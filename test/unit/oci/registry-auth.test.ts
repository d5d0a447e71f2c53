import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseChallenges } from "../../../src/oci/registry/challenge.ts";
import { dockerConfigCredentials } from "../../../src/oci/registry/credentials.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const encoded = (text: string): string => Buffer.from(text).toString("base64");

async function configure(config: unknown): Promise<{ readonly DOCKER_CONFIG: string; readonly folder: string }> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "config.json"), typeof config === "string" ? config : JSON.stringify(config));
  return { DOCKER_CONFIG: folder, folder };
}

describe("credentials of docker login", () => {
  test("none where there is no file", async () => {
    const ask = dockerConfigCredentials({ DOCKER_CONFIG: join(await temporaryFolder(), "missing") });
    expect(await ask("r.example")).toBeUndefined();
  });

  test("~/.docker is read where DOCKER_CONFIG says nothing", async () => {
    const home = await temporaryFolder();
    await mkdir(join(home, ".docker"));
    await writeFile(
      join(home, ".docker/config.json"),
      JSON.stringify({ auths: { "r.example": { auth: encoded("me:secret") } } }),
    );
    expect(await dockerConfigCredentials({ HOME: home })("r.example")).toEqual({
      kind: "basic",
      username: "me",
      password: "secret",
    });
  });

  test("by host, by an old client's URL, with colons in the password, as tokens; never another host's", async () => {
    const ask = dockerConfigCredentials(
      await configure({
        auths: {
          "r.example:5000": { auth: encoded("me:se:cret") },
          "https://old.example/v1/": { auth: encoded("old:secret") },
          "https://index.docker.io/v1/": { auth: encoded("hub:secret") },
          "tokens.example": { auth: encoded("x:y"), identitytoken: "idt" },
          "bearer.example": { registrytoken: "rt" },
          "empty.example": {},
        },
      }),
    );
    expect(await ask("r.example:5000")).toEqual({ kind: "basic", username: "me", password: "se:cret" });
    expect(await ask("old.example")).toMatchObject({ username: "old" });
    expect(await ask("docker.io")).toMatchObject({ username: "hub" });
    expect(await ask("tokens.example")).toEqual({ kind: "identity-token", token: "idt" });
    expect(await ask("bearer.example")).toEqual({ kind: "registry-token", token: "rt" });
    for (const host of ["r.example", "empty.example", "example", "constructor", "__proto__"])
      expect(await ask(host)).toBeUndefined();
  });

  test.each(["{", "[]", '"secret-in-file"', '{"auths": {"r.example": {"auth": "c2VjcmV0LWluLWZpbGU="}}}'])(
    "a file that cannot be understood is a usage error without its content: %s",
    async (text) => {
      const ask = dockerConfigCredentials(await configure(text));
      const error: unknown = await ask("r.example").catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        kind: "usage",
        problems: [{ location: { file: expect.stringContaining("config.json") as unknown } }],
      });
      expect(String(error)).not.toMatch(/secret-in-file|c2VjcmV0/);
    },
  );
});

describe("credential helpers", () => {
  async function helper(script: string, config: unknown): Promise<Readonly<Record<string, string | undefined>>> {
    const env = await configure(config);
    const program = join(env.folder, "docker-credential-test");
    await writeFile(program, `#!/bin/sh\n${script}\n`);
    await chmod(program, 0o755);
    return { DOCKER_CONFIG: env.DOCKER_CONFIG, PATH: `${env.folder}:${process.env["PATH"]}` };
  }

  test("get the host on standard input and answer with a name and secret, or a token", async () => {
    const env = await helper(
      'read -r host; case "$host" in r.example) user=me;; *) user="<token>";; esac; printf \'{"ServerURL":"%s","Username":"%s","Secret":"of %s"}\' "$host" "$user" "$host"',
      { credsStore: "test" },
    );
    const ask = dockerConfigCredentials(env);
    expect(await ask("r.example")).toEqual({ kind: "basic", username: "me", password: "of r.example" });
    expect(await ask("docker.io")).toEqual({ kind: "identity-token", token: "of https://index.docker.io/v1/" });
  });

  test("the helper of a host comes before the store; one that holds nothing leaves it to the file", async () => {
    const env = await helper('echo "credentials not found in native keychain"; exit 1', {
      credHelpers: { "r.example": "test" },
      credsStore: "not-installed",
      auths: { "r.example": { auth: encoded("me:secret") } },
    });
    expect(await dockerConfigCredentials(env)("r.example")).toMatchObject({ username: "me" });
  });

  test("a failing helper is named, and what it printed is not shown", async () => {
    const env = await helper("echo top-secret; echo top-secret >&2; exit 3", { credsStore: "test" });
    const error: unknown = await dockerConfigCredentials(env)("r.example").catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ kind: "infrastructure" });
    expect(String(error)).toContain("docker-credential-test gave no credentials for r.example (exit code 3)");
    expect(String(error)).not.toContain("top-secret");
  });

  test.each(["../../evil", "a/b", "-x", ""])("a helper's name is no path: %s", async (name) => {
    const ask = dockerConfigCredentials(await configure({ credHelpers: { "r.example": name } }));
    if (name === "") expect(await ask("r.example")).toBeUndefined();
    else await expect(ask("r.example")).rejects.toMatchObject({ kind: "usage" });
  });
});

describe("WWW-Authenticate", () => {
  const parse = (header: string | readonly string[]): unknown =>
    parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

  test.each([
    [
      'Bearer realm="https://t.example/token",service="r",scope="repository:a:pull,push"',
      [["bearer", { realm: "https://t.example/token", service: "r", scope: "repository:a:pull,push" }]],
    ],
    ['Basic realm="a \\"b\\", c"', [["basic", { realm: 'a "b", c' }]]],
    [
      'Negotiate, Basic realm=x, BEARER Realm = "y"',
      [
        ["negotiate", {}],
        ["basic", { realm: "x" }],
        ["bearer", { realm: "y" }],
      ],
    ],
    ['Basic realm="unterminated', [["basic", {}]]],
    ["", []],
    ["=", []],
    [`Bearer realm="${"x".repeat(9000)}"`, []],
  ])("%s", (header, challenges) => {
    expect(parse(header)).toEqual(challenges);
  });

  test("several headers are one list", () => {
    expect(parse(["Basic realm=a", "Bearer realm=b"])).toEqual([
      ["basic", { realm: "a" }],
      ["bearer", { realm: "b" }],
    ]);
  });

  test("any text ends soon and harms nothing", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("a", "=", '"', "\\", ",", " ", "B"), maxLength: 4000 }),
        (header) => {
          for (const { scheme } of parseChallenges(header)) expect(scheme).not.toBe("");
        },
      ),
    );
  });
});
