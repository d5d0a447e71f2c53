import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runChecked } from "../../src/process/run.ts";
import { toolPath } from "./tools.ts";

/** A certificate and its key, in PEM form, and the files that hold them. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
  readonly paths: { readonly certificate: string; readonly key: string };
}

/** An authority that signs certificates for 127.0.0.1. */
export interface TestAuthority {
  /** Its own certificate. */
  readonly certificate: string;
  readonly path: string;
  /** A certificate signed by it, for `IP:127.0.0.1` or another name. */
  sign(name: string, options?: { readonly expired?: boolean; readonly for?: string }): Promise<Identity>;
}

/** Makes an authority, with openssl, whose files are in `folder`. */
export async function makeAuthority(folder: string, name: string): Promise<TestAuthority> {
  const path = (file: string): string => join(folder, `${name}-${file}`);
  const openssl = async (...args: string[]): Promise<void> => {
    await runChecked({ file: toolPath("openssl"), args }, "openssl");
  };
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const ca = ["-keyout", path("ca.key"), "-out", path("ca.crt"), "-subj", `/CN=${name}`, "-days", "2"];
  await openssl("req", "-x509", ...newKey, ...ca);
  return {
    certificate: await readFile(path("ca.crt"), "utf8"),
    path: path("ca.crt"),
    async sign(subject, { expired = false, for: alternative = "IP:127.0.0.1" } = {}) {
      const files = { key: path(`${subject}.key`), csr: path(`${subject}.csr`), cert: path(`${subject}.crt`) };
      await openssl("req", ...newKey, "-keyout", files.key, "-out", files.csr, "-subj", `/CN=${subject}`);
      await writeFile(path(`${subject}.ext`), `subjectAltName=${alternative}\n`);
      // openssl counts the days from now, and takes what lies in the past
      const days = expired ? "-1" : "2";
      const by = [
        "-CA",
        path("ca.crt"),
        "-CAkey",
        path("ca.key"),
        "-CAcreateserial",
        "-extfile",
        path(`${subject}.ext`),
      ];
      await openssl("x509", "-req", "-in", files.csr, "-out", files.cert, "-days", days, ...by);
      const paths = { certificate: files.cert, key: files.key };
      return { cert: await readFile(files.cert, "utf8"), key: await readFile(files.key, "utf8"), paths };
    },
  };
}
