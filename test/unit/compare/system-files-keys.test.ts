import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { describe, expect, test } from "vitest";
import { systemFileClasses } from "../../../src/compare/classes/system-files/family.ts";

const context = { member: async (_name: string, bytes: Buffer) => bytes, remaining: () => 0, spend() {} };

async function normalised(name: string, path: string, content: Buffer | string): Promise<string | undefined> {
  const found = systemFileClasses.find((one) => one.name === name);
  if (!found) throw new Error(name);
  const file = { path, bytes: Buffer.isBuffer(content) ? content : Buffer.from(content, "latin1") };
  const result = found.applies(file) ? await found.normalise(file, context) : undefined;
  expect(result).not.toBe("absent");
  return typeof result === "object" ? result.toString("latin1") : undefined;
}

/** Every cut is refused; flipped bytes never throw. */
async function survives(name: string, path: string, content: string): Promise<void> {
  for (let length = 0; length < content.length; length += 1)
    expect(await normalised(name, path, content.slice(0, length))).toBeUndefined();
  let state = 99;
  const next = (): number => (state = (state * 1103515245 + 12345) % 2147483648);
  for (let round = 0; round < 500; round += 1) {
    const copy = Buffer.from(content, "latin1");
    copy[next() % copy.length] = next() >> 8;
    await normalised(name, path, copy);
  }
}

function pem(label: string, bytes: Buffer, width = 64): string {
  const lines = bytes.toString("base64").match(new RegExp(`.{1,${width}}`, "g")) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

const rsa = (bits = 1024, publicExponent = 65537) =>
  generateKeyPairSync("rsa", { modulusLength: bits, publicExponent });
const curve = (namedCurve = "P-256") => generateKeyPairSync("ec", { namedCurve });
const edwards = () => generateKeyPairSync("ed25519");
type Pair = { readonly publicKey: KeyObject; readonly privateKey: KeyObject };

/** Length-prefixed, as SSH has it. */
function ssh(...parts: readonly (Buffer | string)[]): Buffer {
  return Buffer.concat(
    parts.map((part) => {
      const bytes = Buffer.from(part as string);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return Buffer.concat([length, bytes]);
    }),
  );
}

function member(key: KeyObject, name: string): Buffer {
  const value = (key.export({ format: "jwk" }) as Readonly<Record<string, string | undefined>>)[name];
  return Buffer.from(value ?? "", "base64url");
}

/** A number as SSH has it: without zeros before it, but for the one that keeps it positive. */
function number(key: KeyObject, name: string): Buffer {
  const bytes = member(key, name);
  const start = bytes.findIndex((byte) => byte !== 0);
  const short = bytes.subarray(start);
  return (short[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.alloc(1), short]) : short;
}

function publicBlob({ privateKey }: Pair): { readonly type: string; readonly blob: Buffer } {
  const kind = privateKey.asymmetricKeyType;
  if (kind === "rsa")
    return { type: "ssh-rsa", blob: ssh("ssh-rsa", number(privateKey, "e"), number(privateKey, "n")) };
  if (kind === "ed25519") return { type: "ssh-ed25519", blob: ssh("ssh-ed25519", member(privateKey, "x")) };
  const size = String(member(privateKey, "x").length * 8).replace("528", "521");
  const point = Buffer.concat([Buffer.from([4]), member(privateKey, "x"), member(privateKey, "y")]);
  return { type: `ecdsa-sha2-nistp${size}`, blob: ssh(`ecdsa-sha2-nistp${size}`, `nistp${size}`, point) };
}

function publicFile(pair: Pair, comment = "root@build"): string {
  const { type, blob } = publicBlob(pair);
  return `${type} ${blob.toString("base64")} ${comment}\n`;
}

interface PrivateOptions {
  /** The secret part of another key. */
  readonly secret?: Pair;
  readonly comment?: string;
  readonly cipher?: string;
  readonly checks?: readonly [number, number];
}

function privateFile(
  pair: Pair,
  { secret = pair, comment = "root@build", cipher = "none", checks = [7, 7] }: PrivateOptions = {},
): string {
  const key = secret.privateKey;
  const { type, blob } = publicBlob(pair);
  const other = publicBlob(secret).blob;
  const rsaFields = () => ["n", "e", "d", "qi", "p", "q"].map((name) => number(key, name));
  const fields =
    key.asymmetricKeyType === "rsa"
      ? ssh("ssh-rsa", ...rsaFields())
      : key.asymmetricKeyType === "ed25519"
        ? ssh("ssh-ed25519", member(key, "x"), Buffer.concat([member(key, "d"), member(key, "x")]))
        : Buffer.concat([other, ssh(number(key, "d"))]);
  const numbers = Buffer.alloc(8);
  numbers.writeUInt32BE(checks[0], 0);
  numbers.writeUInt32BE(checks[1], 4);
  const plain = Buffer.concat([numbers, fields, ssh(comment)]);
  const padding = Buffer.from([1, 2, 3, 4, 5, 6, 7].slice(0, (8 - (plain.length % 8)) % 8));
  expect(type).not.toBe("");
  const head = Buffer.concat([Buffer.from("openssh-key-v1\0"), ssh(cipher, "none", ""), Buffer.from([0, 0, 0, 1])]);
  return pem("OPENSSH PRIVATE KEY", Buffer.concat([head, ssh(blob, Buffer.concat([plain, padding]))]), 70);
}

describe("ssh-host-key", () => {
  const host = (name: string, content: string) => normalised("ssh-host-key", `etc/ssh/ssh_host_${name}`, content);

  test.each<[string, () => Pair]>([
    ["rsa", () => rsa()],
    ["ecdsa", () => curve()],
    ["ecdsa", () => curve("P-521")],
    ["ed25519", edwards],
  ])("takes keys of the type %s for one another, and keeps private ones from public ones", async (name, make) => {
    const [one, other] = [make(), make()];
    const [secret, open] = [
      await host(`${name}_key`, privateFile(one)),
      await host(`${name}_key.pub`, publicFile(one)),
    ];
    expect(secret).toBeDefined();
    expect(open).toBeDefined();
    expect(secret).not.toBe(open);
    expect(await host(`${name}_key`, privateFile(other, { comment: "" }))).toBe(secret);
    expect(await host(`${name}_key.pub`, publicFile(other, "root@elsewhere"))).toBe(open);
    for (const wrong of ["rsa", "ecdsa", "ed25519"].filter((type) => type !== name)) {
      expect(await host(`${wrong}_key`, privateFile(one))).toBeUndefined();
      expect(await host(`${wrong}_key.pub`, publicFile(one))).toBeUndefined();
    }
    // parts of two keys
    expect(await host(`${name}_key`, privateFile(one, { secret: other }))).toBeUndefined();
  });

  test("keeps sizes, exponents, curves and forms apart", async () => {
    const small = rsa();
    const secret = await host("rsa_key", privateFile(small));
    expect(await host("rsa_key", privateFile(rsa(1032)))).not.toBe(secret);
    expect(await host("rsa_key", privateFile(rsa(1024, 3)))).not.toBe(secret);
    const traditional = small.privateKey.export({ format: "pem", type: "pkcs1" }).toString();
    expect(await host("rsa_key", traditional)).toBeDefined();
    expect(await host("rsa_key", traditional)).not.toBe(secret);
    expect(await host("rsa_key", rsa().privateKey.export({ format: "pem", type: "pkcs1" }).toString())).toBe(
      await host("rsa_key", traditional),
    );
    expect(await host("ecdsa_key", privateFile(curve("P-384")))).not.toBe(
      await host("ecdsa_key", privateFile(curve())),
    );
  });

  test("refuses what is not exactly a key", async () => {
    const pair = edwards();
    const whole = privateFile(pair);
    for (const other of [
      privateFile(pair, { cipher: "aes256-ctr" }),
      privateFile(pair, { checks: [1, 2] }),
      privateFile(pair, { comment: "a\nb" }),
      `${whole}\n`,
      `${whole}${whole}`,
      `# comment\n${whole}`,
      whole.replace("\n", "\r\n"),
      whole.replace("=\n", "\n"),
      generateKeyPairSync("rsa", { modulusLength: 1024 })
        .privateKey.export({ format: "pem", type: "pkcs8", cipher: "aes-128-cbc", passphrase: "x" })
        .toString(),
    ])
      expect(await host("ed25519_key", other)).toBeUndefined();
    const open = publicFile(pair);
    for (const other of [
      `${open}${open}`,
      ` ${open}`,
      `command="x" ${open}`,
      open.slice(0, -1),
      open.replace("ssh-ed25519", "ssh-rsa"),
      open.replace("root@build", "a b"),
    ])
      expect(await host("ed25519_key.pub", other)).toBeUndefined();
    expect(await normalised("ssh-host-key", "root/.ssh/id_ed25519", whole)).toBeUndefined();
    await survives("ssh-host-key", "etc/ssh/ssh_host_ed25519_key", whole);
    await survives("ssh-host-key", "etc/ssh/ssh_host_ed25519_key.pub", open);
    await survives("ssh-host-key", "etc/ssh/ssh_host_rsa_key", privateFile(rsa()));
  });

  test("a changed byte of a key's numbers is noticed", async () => {
    const whole = privateFile(rsa()).split("\n");
    const bytes = Buffer.from(whole.slice(1, -2).join(""), "base64");
    const refused: boolean[] = [];
    for (let at = 0; at < bytes.length; at += 1) {
      const copy = Buffer.from(bytes);
      copy[at] = (copy[at] ?? 0) ^ 1;
      refused.push((await host("rsa_key", pem("OPENSSH PRIVATE KEY", copy, 70))) === undefined);
    }
    // the comment is free text
    expect(refused.filter((isRefused) => !isRefused).length).toBeLessThanOrEqual("root@build".length);
  });
});

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const hex = (text: string): Buffer => Buffer.from(text, "hex");
const named = (host: string): Buffer =>
  der(0x30, der(0x31, der(0x30, der(6, hex("550403")), der(0x0c, Buffer.from(host)))));
const extension = (id: string, value: Buffer): Buffer => der(0x30, der(6, hex(id)), der(4, value));
const notAuthority = extension("551d13", hex("3000"));
const otherNames = (...hosts: readonly string[]): Buffer =>
  extension("551d11", der(0x30, ...hosts.map((host) => der(0x82, Buffer.from(host)))));

interface CertificateOptions {
  readonly pair?: Pair;
  readonly host?: string;
  readonly issuer?: string;
  readonly years?: readonly [string, string];
  readonly extensions?: readonly Buffer[];
  readonly signer?: Pair;
}

const shared = rsa();

function certificate(options: CertificateOptions = {}): Buffer {
  const { pair = shared, host = "build1", years = ["26", "36"], signer = pair } = options;
  const { extensions = [notAuthority, otherNames(host)], issuer = host } = options;
  const algorithm = der(0x30, der(6, hex("2a864886f70d01010b")), hex("0500"));
  const [from, to] = years.map((year) => der(0x17, Buffer.from(`${year}0131000000Z`)));
  const fields = der(
    0x30,
    hex("a003020102"),
    der(2, Buffer.concat([hex("01"), randomBytes(8)])),
    algorithm,
    named(issuer),
    der(0x30, from ?? hex(""), to ?? hex("")),
    named(host),
    pair.publicKey.export({ format: "der", type: "spki" }),
    ...(extensions.length > 0 ? [der(0xa3, der(0x30, ...extensions))] : []),
  );
  return der(0x30, fields, algorithm, der(3, hex("00"), sign("sha256", fields, signer.privateKey)));
}

describe("snakeoil", () => {
  const [keyPath, path] = ["etc/ssl/private/ssl-cert-snakeoil.key", "etc/ssl/certs/ssl-cert-snakeoil.pem"];
  const form = (bytes: Buffer) => normalised("snakeoil", path, pem("CERTIFICATE", bytes));

  test("takes keys and certificates of one kind for one another", async () => {
    const plain = await form(certificate());
    expect(plain).toBeDefined();
    expect(await form(certificate({ pair: rsa(), host: "b2.example.org" }))).toBe(plain);
    const key = (pair: Pair) =>
      normalised("snakeoil", keyPath, pair.privateKey.export({ format: "pem", type: "pkcs8" }).toString());
    expect(await key(shared)).toBeDefined();
    expect(await key(rsa())).toBe(await key(shared));
    expect(await key(rsa(1032))).not.toBe(await key(shared));
    expect(await key(curve())).not.toBe(await key(shared));
  });

  test.each([
    ["key size", { pair: rsa(1032) }],
    ["lifetime", { years: ["26", "37"] as const }],
    ["number of names", { extensions: [notAuthority, otherNames("a", "b")] }],
    ["list of extensions", { extensions: [notAuthority] }],
  ])("keeps another %s apart", async (_, options) => {
    expect(await form(certificate(options))).toBeDefined();
    expect(await form(certificate(options))).not.toBe(await form(certificate()));
  });

  test.each<[string, CertificateOptions]>([
    ["an authority", { extensions: [extension("551d13", hex("30030101ff")), otherNames("a")] }],
    ["what may be an authority", { extensions: [otherNames("a")] }],
    ["no extensions", { extensions: [] }],
    ["an unknown extension", { extensions: [notAuthority, extension("551d0f", hex("03020106"))] }],
    ["an extension twice", { extensions: [notAuthority, otherNames("a"), otherNames("b")] }],
    ["a name for all hosts", { extensions: [notAuthority, otherNames("*.org")] }],
    ["an address", { extensions: [notAuthority, extension("551d11", der(0x30, der(0x87, hex("7f000001"))))] }],
    ["a subject that is no host", { host: "Some Body" }],
    ["another issuer", { issuer: "other" }],
    ["another signer", { signer: rsa() }],
    ["an end before the beginning", { years: ["36", "26"] }],
  ])("refuses %s", async (_, options) => {
    expect(await form(certificate(options))).toBeUndefined();
  });

  test("refuses other blocks and damage", async () => {
    const bytes = certificate();
    const text = pem("CERTIFICATE", bytes);
    expect(await normalised("snakeoil", path, `${text}${text}`)).toBeUndefined();
    expect(await normalised("snakeoil", path, pem("TRUSTED CERTIFICATE", bytes))).toBeUndefined();
    expect(await normalised("snakeoil", keyPath, text)).toBeUndefined();
    expect(await form(Buffer.concat([bytes, hex("0500")]))).toBeUndefined();
    for (let at = 0; at < bytes.length; at += 1) {
      const copy = Buffer.from(bytes);
      copy[at] = (copy[at] ?? 0) ^ 2;
      expect(await form(copy)).toBeUndefined();
    }
    await survives("snakeoil", path, text);
  });
});

describe("ca-bundle-order", () => {
  const path = "etc/ssl/certs/ca-certificates.crt";
  const bundle = (content: string) => normalised("ca-bundle-order", path, content);
  const [a, b, c] = ["alpha", "beta", "gamma"].map((host) => pem("CERTIFICATE", certificate({ host })));
  const twin = pem("CERTIFICATE", certificate({ host: "ALPHA" }));

  test("order, comments and empty lines do not count", async () => {
    const plain = await bundle(`${a}${b}${c}`);
    expect(plain).toBe(`${a}${b}${c}`);
    expect(await bundle(`# bundle of authorities\n\n# gamma\n${c}\n# alpha\n${a}${b}`)).toBe(plain);
    expect(await normalised("ca-bundle-order", "etc/pki/tls/certs/ca-bundle.crt", `${c}${b}${a}`)).toBe(plain);
    expect(await normalised("ca-bundle-order", "etc/ssl/certs/other.crt", `${c}${b}${a}`)).toBeUndefined();
  });

  test("certificates do, and how often they are there", async () => {
    const plain = await bundle(`${a}${b}${c}`);
    for (const other of [`${a}${b}`, `${a}${b}${c}${c}`, `${a}${b}${b}`, `${a}${b}${c}${twin}`]) {
      expect(await bundle(other)).toBeDefined();
      expect(await bundle(other)).not.toBe(plain);
    }
  });

  test("certificates of one subject keep their order", async () => {
    expect(await bundle(`${b}${a}${twin}`)).toBe(await bundle(`${a}${b}${twin}`));
    expect(await bundle(`${twin}${b}${a}`)).not.toBe(await bundle(`${a}${b}${twin}`));
  });

  test.each([
    ["a comment without a sign", `alpha\n${a}`],
    ["a comment that some take for a certificate", `# -----BEGIN CERTIFICATE-----\n${a}`],
    ["another block", `${a}${pem("TRUSTED CERTIFICATE", certificate())}`],
    ["a key", `${a}${pem("PRIVATE KEY", shared.privateKey.export({ format: "der", type: "pkcs8" }))}`],
    ["a block that is no certificate", `${a}${pem("CERTIFICATE", hex("3000"))}`],
    ["bytes behind a certificate", pem("CERTIFICATE", Buffer.concat([certificate(), hex("0500")]))],
    ["other line ends", (a ?? "").replaceAll("\n", "\r\n")],
    ["other lines", pem("CERTIFICATE", certificate(), 76)],
    ["space at the end of a line", (a ?? "").replace("-----\n", "----- \n")],
    ["no certificates", "# none\n"],
    ["nothing", ""],
  ])("refuses %s", async (_, content) => {
    expect(await bundle(content)).toBeUndefined();
  });

  test("survives damage", async () => {
    await survives("ca-bundle-order", path, a ?? "");
  });
});
