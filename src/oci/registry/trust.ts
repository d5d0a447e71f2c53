import { X509Certificate } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { createSecureContext, getCACertificates, type SecureContext } from "node:tls";
import { errorCode, messageOf, usageError } from "../../errors.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const pemCertificate = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** With whom TLS is spoken, where not with Node's own authorities alone. */
export interface Trust {
  /** For the registry itself: also with the client certificate that it wants. */
  readonly registry: SecureContext;
  /** For servers that a registry sends us to: its token server, its storage. */
  readonly others: SecureContext;
}

/**
 * The authorities in `SSL_CERT_FILE` and `SSL_CERT_DIR` (OpenSSL's variables), which are
 * trusted besides Node's own. Throws a usage error when they cannot be read.
 */
export async function readAuthorities(env: Environment): Promise<readonly string[]> {
  const found: string[] = [];
  const file = env["SSL_CERT_FILE"];
  if (file) found.push(...certificatesIn(await readText(file), file));
  for (const folder of (env["SSL_CERT_DIR"] ?? "").split(delimiter).filter(Boolean)) {
    const names = (await namesIn(folder)).filter((name) => /\.(pem|crt|cer|[0-9])$/.test(name));
    // what else may lie there is nothing to complain of
    for (const name of names) found.push(...((await readText(join(folder, name))).match(pemCertificate) ?? []));
  }
  return [...new Set(found)];
}

/** A context that trusts Node's own authorities and these. */
export function trusting(authorities: readonly string[]): SecureContext {
  return createSecureContext({ ca: [...getCACertificates("default"), ...authorities] });
}

/**
 * What Docker's `certs.d/HOST[:PORT]` holds for one registry: authorities, `*.crt`, and
 * client certificates, `*.cert` with their `*.key`; undefined where there is nothing.
 * `shared` are trusted too. Throws a usage error for a file that cannot be read or is no certificate.
 */
export async function readTrust(env: Environment, host: string, shared: readonly string[]): Promise<Trust | undefined> {
  const authorities: string[] = [];
  const clients: { readonly cert: string; readonly key: string }[] = [];
  for (const folder of certificateFolders(env, host)) {
    const names = await namesIn(folder);
    for (const name of names.filter((candidate) => candidate.endsWith(".crt"))) {
      const file = join(folder, name);
      const found = certificatesIn(await readText(file), file);
      for (const certificate of found) checkCertificate(certificate, file);
      authorities.push(...found);
    }
    for (const name of names.filter((candidate) => candidate.endsWith(".cert"))) {
      const key = name.replace(/\.cert$/, ".key");
      if (!names.includes(key))
        throw usageError(`the client certificate has no key: ${key} is missing next to it`, {
          location: { file: join(folder, name) },
        });
      clients.push({ cert: await readText(join(folder, name)), key: await readText(join(folder, key)) });
    }
  }
  if (authorities.length === 0 && clients.length === 0) return undefined;
  const others = trusting([...shared, ...authorities]);
  if (clients.length === 0) return { registry: others, others };
  const ca = [...getCACertificates("default"), ...shared, ...authorities];
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

function certificatesIn(text: string, file: string): readonly string[] {
  const found = text.match(pemCertificate);
  if (!found) throw noCertificate(file);
  return found;
}

function checkCertificate(text: string, file: string): void {
  try {
    void new X509Certificate(text);
  } catch (cause) {
    throw noCertificate(file, cause);
  }
}

function noCertificate(file: string, cause?: unknown): Error {
  return usageError("this should be a certificate in PEM form, and is not", { location: { file }, cause });
}
