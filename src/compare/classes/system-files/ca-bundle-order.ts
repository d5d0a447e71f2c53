import { canonicalForm, type ContentClass } from "../class.ts";

const paths: ReadonlySet<string> = new Set([
  "etc/ssl/certs/ca-certificates.crt",
  "etc/ssl/cert.pem",
  "etc/pki/tls/certs/ca-bundle.crt",
  "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "etc/ssl/ca-bundle.pem",
]);
const maxBytes = 16 * 1024 * 1024;
const block = /^-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/=\n]+)-----END CERTIFICATE-----$/;
const comment = /^(?:#.*)?$/;

/** The order of certificates in a bundle. */
export const caBundleOrder: ContentClass = {
  name: "ca-bundle-order",
  version: 1,
  meaning: "the same certificates in a bundle of authorities, in another order",
  normalises: "certificates are sorted; comments between them are left out; a file with anything else counts as it is",
  safety: "a bundle is read as a set; a certificate more, fewer or otherwise is another bundle",
  applies: ({ path }) => paths.has(path),
  normalise({ bytes }) {
    if (bytes.length > maxBytes) return undefined;
    const certificates: string[] = [];
    let open: string[] | undefined;
    for (const line of bytes.toString("latin1").split("\n")) {
      if (line === "-----BEGIN CERTIFICATE-----" && !open) open = [line];
      else if (open) {
        open.push(line);
        if (line !== "-----END CERTIFICATE-----") continue;
        const body = block.exec(open.join("\n"))?.[1];
        if (body === undefined) return undefined;
        certificates.push(body);
        open = undefined;
      } else if (!comment.test(line)) return undefined;
    }
    return open || certificates.length === 0 ? undefined : canonicalForm("ca-bundle", certificates.toSorted());
  },
};
