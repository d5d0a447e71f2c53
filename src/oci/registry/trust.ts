import { X509Certificate } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { createSecureContext, getCACertificates, type SecureContext } from "node:tls";
import { errorCode, messageOf, usageError } from "../../errors.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** With whom TLS is spoken; undefined where Node's own authorities are all there are. */
export interface Trust {
  /** For the registry itself: also with the client certificate that it wants. */
  readonly registry: SecureContext | undefined;
  /** For servers that a registry sends us to: its token server, its storage. */
  readonly others: SecureContext | undefined;
}

/**
 * The authorities to trust besides Node's own: those in `SSL_CERT_FILE` and
 * `SSL_CERT_DIR` (OpenSSL's variables), and for one registry those that Docker's
 * `certs.d/HOST[:PORT]/*.crt` holds, with the client certificates `*.cert` and their
 * `*.key`. Throws a usage error for a file that cannot be read or is no certificate.
 */
export async function readTrust(env: Environment, host: string): Promise<Trust> {
  const authorities = await readSharedAuthorities(env);
  const clients: { readonly cert: string; readonly key: string }[] = [];
  for (const folder of certificateFolders(env, host)) {
    const names = await namesIn(folder);
    for (const name of names.filter((candidate) => candidate.endsWith(".crt")))
      authorities.push(...certificatesIn(await readText(join(folder, name)), join(folder, name), true));
    for (const name of names.filter((candidate) => candidate.endsWith(".cert"))) {
      const key = name.replace(/\.cert$/, ".key");
      if (!names.includes(key))
        throw usageError(`the client certificate has no key: ${key} is missing next to it`, {
          location: { file: join(folder, name) },
        });
      clients.push({ cert: await readText(join(folder, name)), key: await readText(join(folder, key)) });
    }
  }
  if (authorities.length === 0 && clients.length === 0) return { registry: undefined, others: undefined };
  const ca = [...getCACertificates("default"), ...authorities];
  const others = createSecureContext({ ca });
  if (clients.length === 0) return { registry: others, others };
  try {
    const cert = clients.map((client) => client.cert);
    return { registry: createSecureContext({ ca, cert, key: clients.map((client) => client.key) }), others };
  } catch (cause) {
    throw usageError(`the client certificates for ${host} cannot be used: ${messageOf(cause)}`, {
      hint: `look at *.cert and *.key in ${certificateFolders(env, host).join(" and ")}`,
      cause,
    });
  }
}

/** Where Docker keeps what it needs to trust a registry. */
function certificateFolders(env: Environment, host: string): string[] {
  const own = env["DOCKER_CONFIG"] || join(env["HOME"] || homedir(), ".docker");
  return ["/etc/docker", own].map((folder) => join(folder, "certs.d", host));
}

async function readSharedAuthorities(env: Environment): Promise<string[]> {
  const found: string[] = [];
  const file = env["SSL_CERT_FILE"];
  if (file) found.push(...certificatesIn(await readText(file), file, true));
  for (const folder of (env["SSL_CERT_DIR"] ?? "").split(delimiter).filter(Boolean)) {
    // what else may lie there is nothing to complain of
    const names = (await namesIn(folder)).filter((name) => /\.(pem|crt|cer|[0-9])$/.test(name));
    for (const name of names) found.push(...certificatesIn(await readText(join(folder, name)), join(folder, name)));
  }
  return [...new Set(found)];
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).toSorted();
  } catch (cause) {
    if (errorCode(cause) === "ENOENT" || errorCode(cause) === "ENOTDIR") return [];
    throw unreadable(folder, cause);
  }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

function unreadable(file: string, cause: unknown): Error {
  return usageError(`certificates to trust cannot be read (${errorCode(cause) ?? messageOf(cause)})`, {
    location: { file },
    cause,
  });
}

function certificatesIn(text: string, file: string, mustHaveOne = false): string[] {
  const found = text.match(/-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g) ?? [];
  const fail = (cause?: unknown): Error =>
    usageError("this should be a certificate in PEM form, and is not", { location: { file }, cause });
  if (mustHaveOne && found.length === 0) throw fail();
  for (const certificate of found) {
    try {
      void new X509Certificate(certificate);
    } catch (cause) {
      if (mustHaveOne) throw fail(cause);
      return [];
    }
  }
  return found;
}
