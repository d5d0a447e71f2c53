import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { createRegistryClient } from "../../src/oci/registry/client.ts";
import type { Repository } from "../../src/oci/repository.ts";
import { makeAuthority, type TestAuthority } from "../support/registry-certificates.ts";
import { startRegistry, startServer, type TestRegistry } from "../support/registry.ts";
import { failureOf, push, randomImage } from "../support/registry-images.ts";
import { temporaryFolder } from "../support/temporary.ts";

const retry = { retries: 1, firstDelay: 5, longestWait: 2 };
let registry: TestRegistry;

beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.stop());

interface Setting {
  readonly authority: TestAuthority;
  readonly host: string;
  /** Holds Docker's configuration. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
}

/** A proxy with TLS before the registry, whose certificate a private authority has signed. */
async function setUp(options: Parameters<TestAuthority["sign"]>[1] = {}): Promise<Setting> {
  const folder = await temporaryFolder();
  const authority = await makeAuthority(folder, "private");
  const { cert, key } = await authority.sign("server", options);
  const front = await startServer({ behind: registry.host, tls: { cert, key } });
  onTestFinished(() => front.stop());
  return { authority, host: front.host, folder, env: { DOCKER_CONFIG: folder } };
}

function open(host: string, env: Readonly<Record<string, string>>): Repository {
  const client = createRegistryClient({ env, retry, plainHttp: "never" });
  onTestFinished(() => client.close());
  return client.repository({ host, repository: "team/app" });
}

/** Puts files where Docker looks for them. */
async function writeCertificates({ folder, host }: Setting, files: Readonly<Record<string, string>>): Promise<string> {
  const place = join(folder, "certs.d", host);
  await mkdir(place, { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(place, name), text);
  return place;
}

describe("a registry whose certificate a private authority signed", () => {
  test("is not trusted; the message says where the authority's certificate goes, and there it helps", async () => {
    const setting = await setUp();
    const { host, env, authority } = setting;
    const failure = await failureOf(open(host, env).resolve("1"));
    expect(failure.message).toMatch(
      new RegExp(
        `team/app: the TLS certificate of the registry ${host} is not trusted[^]*~/\\.docker/certs\\.d/${host}/ca\\.crt`,
      ),
    );
    await writeCertificates(setting, { "ca.crt": authority.certificate });
    const image = randomImage();
    await push(open(host, env), image, "1");
    expect((await open(host, env).resolve("1")).descriptor.digest).toBe(image.digest);
  });

  test("is trusted by SSL_CERT_FILE, and by SSL_CERT_DIR whatever else lies there", async () => {
    const { host, folder, env, authority } = await setUp();
    const other = await makeAuthority(folder, "other");
    const file = join(folder, "bundle.pem");
    await writeFile(file, `# two of them\n${other.certificate}\n${authority.certificate}`);
    expect(await open(host, { ...env, SSL_CERT_FILE: file }).find("none")).toBeUndefined();
    const directory = join(folder, "directory");
    await mkdir(directory);
    await writeFile(join(directory, "0a1b2c3d.0"), authority.certificate);
    await writeFile(join(directory, "broken.pem"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    await writeFile(join(directory, "README"), "no certificate");
    const both = `/nonexistent:${directory}`;
    expect(await open(host, { ...env, SSL_CERT_DIR: both }).find("none")).toBeUndefined();
  });

  test("another registry's authority is not trusted for this one", async () => {
    const setting = await setUp();
    const [{ host, env }, other] = [setting, await makeAuthority(setting.folder, "other")];
    await writeCertificates(setting, { "ca.crt": other.certificate });
    await writeCertificates(
      { ...setting, host: "other.example" },
      {
        "ca.crt": setting.authority.certificate,
      },
    );
    expect((await failureOf(open(host, env).resolve("1"))).message).toMatch(/is not trusted/);
  });

  test("a certificate of yesterday, or for another name", async () => {
    for (const [options, message] of [
      [{ expired: true }, /is not valid today \(CERT_HAS_EXPIRED\)[^]*renewed/],
      [{ for: "IP:192.0.2.1" }, /is for another name \(ERR_TLS_CERT_ALTNAME_INVALID\)/],
    ] as const) {
      const setting = await setUp(options);
      await writeCertificates(setting, { "ca.crt": setting.authority.certificate });
      expect((await failureOf(open(setting.host, setting.env).resolve("1"))).message).toMatch(message);
    }
  });

  test("wants a client certificate", async () => {
    const folder = await temporaryFolder();
    const authority = await makeAuthority(folder, "private");
    const server = await authority.sign("server");
    const strict = await startRegistry({ tls: { ...server.paths, clientcas: [authority.path] } });
    onTestFinished(() => strict.stop());
    const { host } = strict;
    const env = { DOCKER_CONFIG: folder };
    const setting = { authority, host, folder, env };
    await writeCertificates(setting, { "ca.crt": authority.certificate });
    expect((await failureOf(open(host, env).resolve("1"))).message).toMatch(
      new RegExp(
        `(handshake with the registry ${host} was refused|the registry ${host} closed the connection)[^]*${host}/client\\.cert`,
      ),
    );
    const client = await authority.sign("client");
    const place = await writeCertificates(setting, { "client.cert": client.cert });
    expect((await failureOf(open(host, env).resolve("1"))).message).toBe(
      `${place}/client.cert: the client certificate has no key: client.key is missing next to it`,
    );
    await writeCertificates(setting, { "client.key": client.key });
    expect(await open(host, env).find("none")).toBeUndefined();
    await writeCertificates(setting, { "client.key": (await authority.sign("another")).key });
    expect((await failureOf(open(host, env).resolve("1"))).message).toMatch(
      /client certificates for .* cannot be used/,
    );
  });

  test("is trusted behind a proxy too, also where the proxy speaks for it", async () => {
    const { host, folder, authority, env } = await setUp({ for: "DNS:registry.test" });
    const asked: string[] = [];
    const proxy = createServer();
    proxy.on("connect", (request, socket) => {
      asked.push(request.url ?? "");
      const onward = connect(Number(host.split(":")[1]), "127.0.0.1", () => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n");
        socket.pipe(onward).pipe(socket);
      });
      for (const end of [socket, onward]) end.on("error", () => socket.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void proxy.close());
    const HTTPS_PROXY = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const through = { ...env, HTTPS_PROXY };
    expect((await failureOf(open("registry.test", through).resolve("1"))).message).toMatch(
      /TLS certificate of the registry registry\.test is not trusted/,
    );
    expect(await open("registry.test", { ...through, SSL_CERT_FILE: authority.path }).find("none")).toBeUndefined();
    await writeCertificates({ authority, folder, env, host: "registry.test" }, { "ca.crt": authority.certificate });
    expect(await open("registry.test", through).find("none")).toBeUndefined();
    expect(new Set(asked)).toEqual(new Set(["registry.test:443"]));
  });

  test("files that are no certificates are named", async () => {
    const setting = await setUp();
    const { host, env, folder } = setting;
    const place = await writeCertificates(setting, { "ca.crt": "nonsense" });
    await expect(open(host, env).resolve("1")).rejects.toMatchObject({ kind: "usage" });
    expect((await failureOf(open(host, env).resolve("1"))).message).toBe(
      `${place}/ca.crt: this should be a certificate in PEM form, and is not`,
    );
    const missing = { ...env, DOCKER_CONFIG: "/nonexistent", SSL_CERT_FILE: join(folder, "missing.pem") };
    expect((await failureOf(open(host, missing).resolve("1"))).message).toMatch(
      /missing\.pem: certificates to trust cannot be read \(ENOENT\)/,
    );
  });
});
