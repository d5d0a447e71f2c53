import { open } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { errorCode, infrastructureError, usageError } from "../../errors.ts";
import { run } from "../../process/run.ts";

/** How to prove who we are to a registry. */
export type Credential =
  | { readonly kind: "basic"; readonly username: string; readonly password: string }
  /** An OAuth2 refresh token, for the token server. */
  | { readonly kind: "identity-token"; readonly token: string }
  /** A bearer token for the registry itself. */
  | { readonly kind: "registry-token"; readonly token: string };

/** Gives the credential for a registry host, or undefined when there is none. */
export type CredentialSource = (host: string, signal?: AbortSignal) => Promise<Credential | undefined>;

type Environment = Readonly<Record<string, string | undefined>>;
type Fields = Readonly<Record<string, unknown>>;

const maxConfigBytes = 1024 * 1024;
const helperSeconds = 30;
const dockerHubKey = "https://index.docker.io/v1/";
const dockerHubNames: ReadonlySet<string> = new Set(["docker.io", "index.docker.io", "registry-1.docker.io"]);

/**
 * The credentials that `docker login` keeps: `config.json` in `DOCKER_CONFIG` or
 * `~/.docker`, with its `auths`, `credHelpers` and `credsStore`. The file is read at the
 * first question. Throws a usage error when the file cannot be understood, an
 * infrastructure error when a helper program fails; neither says anything of a secret.
 */
export function dockerConfigCredentials(env: Environment): CredentialSource {
  const folder = env["DOCKER_CONFIG"] || join(env["HOME"] || homedir(), ".docker");
  const path = join(folder, "config.json");
  let loaded: Promise<Fields> | undefined;
  return async (host, signal) => {
    const config = await (loaded ??= readConfig(path));
    const key = host === "docker.io" ? dockerHubKey : host;
    const helper = textOf(fieldsOf(config["credHelpers"])[host]) ?? textOf(config["credsStore"]);
    const held =
      helper === undefined ? undefined : await askHelper(helper, key, { env, path, ...(signal && { signal }) });
    return held ?? credentialOf(findEntry(fieldsOf(config["auths"]), host), path);
  };
}

async function readConfig(path: string): Promise<Fields> {
  const text = await readBounded(path);
  if (text === undefined) return {};
  try {
    const parsed: unknown = JSON.parse(text);
    if (isFields(parsed)) return parsed;
  } catch {
    // a syntax error quotes the text, which holds secrets
  }
  throw usageError("Docker's configuration is not a JSON object", {
    location: { file: path },
    hint: "docker login writes this file; repair or remove it",
  });
}

async function readBounded(path: string): Promise<string | undefined> {
  const file = await open(path, "r").catch((cause: unknown) => {
    if (errorCode(cause) === "ENOENT" || errorCode(cause) === "ENOTDIR") return undefined;
    throw usageError(`Docker's configuration cannot be read (${errorCode(cause) ?? "unknown reason"})`, {
      location: { file: path },
      cause,
    });
  });
  if (!file) return undefined;
  try {
    const stat = await file.stat();
    if (!stat.isFile() || stat.size > maxConfigBytes)
      throw usageError(`Docker's configuration is not a file of at most ${maxConfigBytes} bytes`, {
        location: { file: path },
      });
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}

/** The entry of a host; keys may be `https://HOST/v1/` as old clients wrote them. */
function findEntry(auths: Fields, host: string): Fields | undefined {
  const wanted = host === "docker.io" ? dockerHubNames : new Set([host]);
  const exact = auths[host === "docker.io" ? dockerHubKey : host];
  if (isFields(exact)) return exact;
  for (const [key, value] of Object.entries(auths)) {
    const name = key.replace(/^https?:\/\//, "").split("/", 1)[0] ?? "";
    if (wanted.has(name.toLowerCase()) && isFields(value)) return value;
  }
  return undefined;
}

function credentialOf(entry: Fields | undefined, path: string): Credential | undefined {
  if (!entry) return undefined;
  const identity = textOf(entry["identitytoken"]);
  if (identity !== undefined) return { kind: "identity-token", token: identity };
  const registry = textOf(entry["registrytoken"]);
  if (registry !== undefined) return { kind: "registry-token", token: registry };
  const encoded = textOf(entry["auth"]);
  if (encoded === undefined) {
    const username = textOf(entry["username"]);
    const password = textOf(entry["password"]);
    return username === undefined || password === undefined ? undefined : { kind: "basic", username, password };
  }
  // Docker pads with NUL bytes in some versions
  const decoded = Buffer.from(encoded, "base64").toString("utf8").replace(/\0+$/, "");
  const colon = decoded.indexOf(":");
  if (colon <= 0)
    throw usageError("an entry of auths has an auth that is not base64 of NAME:PASSWORD", {
      location: { file: path },
      hint: "docker login writes it anew",
    });
  return { kind: "basic", username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}

/** Runs `docker-credential-NAME get` (docker-credential-helpers' protocol); undefined when it holds nothing. */
async function askHelper(
  name: string,
  key: string,
  context: { readonly env: Environment; readonly path: string; readonly signal?: AbortSignal },
): Promise<Credential | undefined> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name)) {
    throw usageError("a credential helper's name is letters, digits, dots and dashes", {
      location: { file: context.path },
    });
  }
  const program = `docker-credential-${name}`;
  const { env, signal } = context;
  const result = await run({
    file: program,
    args: ["get"],
    input: `${key}\n`,
    env,
    timeoutSeconds: helperSeconds,
    ...(signal && { signal }),
  });
  const hint = `${context.path} names this helper; docker login and docker logout go through it too`;
  if (result.exitCode !== 0) {
    if (/credentials not found/i.test(`${result.stdout}\n${result.stderr}`)) return undefined;
    throw infrastructureError(`${program} gave no credentials for ${key} (exit code ${result.exitCode})`, { hint });
  }
  const answer = parseAnswer(result.stdout);
  const username = textOf(answer["Username"]);
  const secret = textOf(answer["Secret"]);
  if (secret === undefined)
    throw infrastructureError(`${program} did not answer with credentials for ${key}`, { hint });
  if (username === "<token>") return { kind: "identity-token", token: secret };
  return { kind: "basic", username: username ?? "", password: secret };
}

function parseAnswer(text: string): Fields {
  try {
    const parsed: unknown = JSON.parse(text);
    return isFields(parsed) ? parsed : {};
  } catch {
    return {};
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
