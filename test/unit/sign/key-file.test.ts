import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import { createKeyPair, readPrivateKey, readPublicKey } from "../../../src/sign/key-file.ts";

// written by cosign 3.1.1 generate-key-pair, with the password "pw"
const cosignKey = `-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----
eyJrZGYiOnsibmFtZSI6InNjcnlwdCIsInBhcmFtcyI6eyJOIjo2NTUzNiwiciI6
OCwicCI6MX0sInNhbHQiOiJLTzBHelhnN2Y5TDl6TGVLUGJIMXpKVm45ZEpFdTFT
RUFKMlk0cmkyR0FzPSJ9LCJjaXBoZXIiOnsibmFtZSI6Im5hY2wvc2VjcmV0Ym94
Iiwibm9uY2UiOiJwcW5uVzdGaXoxMnVGcDk0V2oxZEZSUllQbWMrL3hqRSJ9LCJj
aXBoZXJ0ZXh0Ijoib1hYUE5TWXFOMHlOMit0Rk9ieUZoS1c0eXhEeDVUaTZ1MXBm
S2xBTFJqVXo2dUZOSUUrYmh4T2kzWGVhRXlGUWNKMHlqbVVuMEVRdExpNGNGWmRF
NzhlL2l2VVhNdGhVZnZSaWtFTjRRVExXbmJtRTRqODJ3Y1gyNU05WTVMZTQ5ZnBa
QS9FV2M5N29RMXdhbE92cG9ZTWxtM0lRcGNxd0JTR3N4UVVzNDlqRzJEZGRRYktY
TGZMb2cwckhYc1NIU21xUkUwcDNQclJ4MHc9PSJ9
-----END ENCRYPTED SIGSTORE PRIVATE KEY-----
`;

test("a key that cosign made opens with its password, and with no other", async () => {
  const key = await readPrivateKey(cosignKey, "pw", "cosign.key");
  expect(key.asymmetricKeyDetails?.namedCurve).toBe("prime256v1");
  await expect(readPrivateKey(cosignKey, "other", "cosign.key")).rejects.toThrow(/password does not open cosign.key/);
});

test("a key made here survives its file, password or none", async () => {
  for (const password of ["", "päss"]) {
    const pair = await createKeyPair(password);
    const key = await readPrivateKey(pair.privateKey, password, "here");
    const derived = createPublicKey(key).export({ format: "pem", type: "spki" });
    expect(readPublicKey(pair.publicKey, "there").export({ format: "pem", type: "spki" })).toBe(derived);
  }
});

test("a plain key is read, one of a kind that signs nothing here is refused", async () => {
  const pem = (namedCurve: string): string =>
    generateKeyPairSync("ec", { namedCurve }).privateKey.export({ format: "pem", type: "pkcs8" }).toString();
  expect((await readPrivateKey(pem("prime256v1"), "", "a file")).type).toBe("private");
  await expect(readPrivateKey(pem("secp521r1"), "", "a file")).rejects.toThrow(/not used for signing/);
});

test.each([
  ["nothing", ""],
  ["a public key", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"],
  ["a text", "secret text"],
  ["a damaged block", cosignKey.replace("eyJrZGYi", "eyJrZGZZ")],
  [
    "one that wants all memory",
    `-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n${Buffer.from(
      JSON.stringify({
        kdf: { name: "scrypt", params: { N: 1 << 20, r: 32, p: 16 }, salt: "AAAA" },
        cipher: { name: "nacl/secretbox", nonce: "AAAA" },
        ciphertext: "AAAA",
      }),
    ).toString("base64")}\n-----END`,
  ],
])("%s is a message that names the file and quotes nothing of it", async (_, text) => {
  const failure = await readPrivateKey(text, "", "my.key").catch((error: Error) => error);
  expect(failure).toBeInstanceOf(Error);
  expect((failure as Error).message).toContain("my.key");
  expect((failure as Error).message).not.toContain("secret");
});

test("a private key is not taken for a public one", async () => {
  const { privateKey } = await createKeyPair("");
  expect(() => readPublicKey(privateKey, "cosign.key")).toThrow(/not a public key/);
});
