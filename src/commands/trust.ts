import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { errorCode, messageOf, usageError } from "../errors.ts";
import { readPublicKey } from "../sign/key-file.ts";
import type { KeylessTrust, TrustedSigners } from "../sign/verify-bundle.ts";

/** Flags that say whose signatures count. */
export interface TrustFlags {
  readonly key?: readonly string[];
  readonly trustedRoot?: string;
  readonly identity?: readonly string[];
}

const maxBytes = 4 * 1024 * 1024;

/**
 * Reads whose signatures count: public keys (files, or `env://NAME`), and identities
 * (`SUBJECT=ISSUER`) below a Sigstore trusted root. With neither, the key that was made
 * for this machine, where there is one. Throws a usage error when nobody would be trusted.
 */
export async function readTrust(
  flags: TrustFlags,
  context: { readonly cwd: string; readonly env: NodeJS.ProcessEnv; readonly cache: string },
): Promise<TrustedSigners> {
  const { cwd, env, cache } = context;
  const named = flags.key ?? [];
  const keys = await Promise.all(
    named.map(async (key) => {
      const variable = /^env:\/\/(.*)$/.exec(key)?.[1];
      const text = variable === undefined ? await readBounded(resolve(cwd, key)) : (env[variable] ?? "");
      return { name: key, publicKey: readPublicKey(text, key) };
    }),
  );
  const keyless = await readKeyless(flags, cwd);
  if (keys.length > 0 || keyless) return { keys, ...(keyless && { keyless }) };
  const demo = join(cache, "keys", "demo.pub");
  if (!existsSync(demo))
    throw usageError("nobody is trusted: nothing can be verified", {
      hint: "--key FILE names a public key; --identity SUBJECT=ISSUER with --trusted-root FILE a keyless signer",
    });
  const name = "the key made on this machine";
  return { keys: [{ name, publicKey: readPublicKey(await readBounded(demo), name) }] };
}

async function readKeyless(flags: TrustFlags, cwd: string): Promise<KeylessTrust | undefined> {
  const { trustedRoot, identity = [] } = flags;
  if (trustedRoot === undefined && identity.length === 0) return undefined;
  if (trustedRoot === undefined || identity.length === 0)
    throw usageError("keyless signatures are verified with both --trusted-root and --identity");
  const { TrustedRoot } = await import("@sigstore/protobuf-specs");
  try {
    const root = TrustedRoot.fromJSON(JSON.parse(await readBounded(resolve(cwd, trustedRoot))));
    return { root, identities: identity.map(parseIdentity) };
  } catch (cause) {
    if (cause instanceof SyntaxError) throw usageError(`${trustedRoot} is no trusted root: ${messageOf(cause)}`);
    throw cause;
  }
}

function parseIdentity(text: string): { subject: string; issuer: string } {
  const at = text.lastIndexOf("=");
  const [subject, issuer] = [text.slice(0, at), text.slice(at + 1)];
  if (at > 0 && URL.canParse(issuer)) return { subject, issuer };
  throw usageError(`--identity takes SUBJECT=ISSUER, and got "${text}"`, {
    hint: "as in someone@example.org=https://accounts.example.org",
  });
}

async function readBounded(path: string): Promise<string> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw usageError(
      `${path} cannot be read: ${errorCode(cause) === "ENOENT" ? "it is not there" : messageOf(cause)}`,
      {
        cause,
      },
    );
  });
  if (bytes.length > maxBytes) throw usageError(`${path} is too large for a key or a trusted root`);
  return bytes.toString("utf8");
}
