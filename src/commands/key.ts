import { open, stat } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { errorCode, usageError } from "../errors.ts";
import { createKeyPair } from "../sign/key-file.ts";
import { type CliContext, type CommonFlags, runCommand } from "./context.ts";

/** Flags of `refoundry key`. */
export interface KeyFlags extends CommonFlags {
  readonly out?: string;
}

/** `refoundry key`: makes a key pair in cosign's format, encrypted with COSIGN_PASSWORD. Overwrites nothing. */
export function key(this: CliContext, flags: KeyFlags): Promise<void> {
  return runCommand(this, flags, async () => {
    const password = this.process.env["COSIGN_PASSWORD"];
    if (password === undefined)
      throw usageError("COSIGN_PASSWORD is not set: it is the password of the new key", {
        hint: "set it to a password, or to nothing for a key without one",
      });
    const folder = resolve(this.cwd, flags.out ?? ".");
    const paths = { privateKey: join(folder, "cosign.key"), publicKey: join(folder, "cosign.pub") };
    for (const path of Object.values(paths))
      if (await stat(path).catch(() => undefined))
        throw usageError(`${relative(this.cwd, path) || path} is there already, and keys are not overwritten`, {
          hint: "--out names another folder",
        });
    const pair = await createKeyPair(password);
    await writeNew(paths.privateKey, pair.privateKey, 0o600);
    await writeNew(paths.publicKey, pair.publicKey, 0o644);
    return {
      text: `${paths.privateKey} signs (keep it secret, and its password); ${paths.publicKey} verifies`,
      document: { schema: "refoundry/key/v1", ...paths },
      exitCode: 0,
    };
  });
}

async function writeNew(path: string, text: string, mode: number): Promise<void> {
  const file = await open(path, "wx", mode).catch((cause: unknown) => {
    if (errorCode(cause) === "ENOENT") throw usageError(`the folder of ${path} is not there`, { cause });
    throw cause;
  });
  try {
    await file.writeFile(text);
  } finally {
    await file.close();
  }
}
