import { generateKeyPairSync } from "node:crypto";
import { mkdir, open, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CIContextProvider } from "@sigstore/sign";
import { errorCode, usageError } from "../errors.ts";
import { readPrivateKey } from "./key-file.ts";
import { keylessSigner, keySigner, memoryKeyHolder, type Signer } from "./signer.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** A signer, and whether its key is only one that was made here to have one. */
export interface SelectedSigner {
  readonly signer: Signer;
  /** The public key's file, of a key that was made for this machine. */
  readonly demoPublicKey?: string;
}

const publicFulcio = "https://fulcio.sigstore.dev";
const publicRekor = "https://rekor.sigstore.dev";

/**
 * Finds who signs. `key` is a file in cosign's format or PEM, `env://NAME` for a variable
 * that holds one, or `keyless`; without one a key is made once and kept in `demoFolder`.
 * The password is `COSIGN_PASSWORD`. Throws a usage error when the key cannot be used.
 */
export async function selectSigner(
  key: string | undefined,
  env: Environment,
  demoFolder: string,
): Promise<SelectedSigner> {
  if (key === "keyless") return { signer: selectKeyless(env) };
  if (key === undefined) return demoSigner(demoFolder);
  const variable = /^env:\/\/(.*)$/.exec(key)?.[1];
  const name = variable === undefined ? `the key ${key}` : `the key in ${variable}`;
  const text = variable === undefined ? await readKeyFile(key) : env[variable];
  if (text === undefined || text === "")
    throw usageError(`the environment variable ${variable} holds no key`, { hint: "--key env://NAME reads NAME" });
  const privateKey = await readPrivateKey(text, env["COSIGN_PASSWORD"] ?? "", name);
  return { signer: keySigner(memoryKeyHolder(privateKey, name)) };
}

/** Reads a key's file, which is no more than a few lines. Throws a usage error that names it. */
export async function readKeyFile(path: string): Promise<string> {
  const file = await open(path, "r").catch((cause: unknown) => {
    const reason = errorCode(cause) === "ENOENT" ? "it is not there" : (errorCode(cause) ?? "unknown reason");
    throw usageError(`the key ${path} cannot be read: ${reason}`, {
      cause,
      hint: "--key takes a file, env://NAME, or keyless; refoundry key makes a key pair",
    });
  });
  try {
    const { size } = await file.stat();
    if (size > 64 * 1024) throw usageError(`${path} is too large for a key`);
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}

function selectKeyless(env: Environment): Signer {
  const offered = ["SIGSTORE_ID_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL", "BUILDKITE"];
  if (!offered.some((name) => env[name]))
    throw usageError("keyless signing needs an OpenID Connect token, and none is offered here", {
      hint: "on GitHub give the job the permission id-token: write; elsewhere put a token into SIGSTORE_ID_TOKEN",
    });
  const provider = new CIContextProvider("sigstore");
  return keylessSigner({
    fulcioUrl: env["REFOUNDRY_FULCIO_URL"] || publicFulcio,
    rekorUrl: env["REFOUNDRY_REKOR_URL"] || publicRekor,
    token: () => provider.getToken(),
  });
}

async function demoSigner(folder: string): Promise<SelectedSigner> {
  const path = join(folder, "demo.key");
  const demoPublicKey = join(folder, "demo.pub");
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  });
  const pem = text ?? (await makeDemoKey(path, demoPublicKey));
  const name = "a key made on this machine";
  const privateKey = await readPrivateKey(pem, "", name);
  return { signer: keySigner(memoryKeyHolder(privateKey, name)), demoPublicKey };
}

/** Not encrypted: it protects nothing, and reading it has to be quick. */
async function makeDemoKey(path: string, publicPath: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const pem = privateKey.export({ format: "pem", type: "pkcs8" }).toString();
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, pem, { mode: 0o600 });
  await writeFile(publicPath, publicKey.export({ format: "pem", type: "spki" }));
  await rename(draft, path);
  return pem;
}
