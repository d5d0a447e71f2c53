import { readPem } from "../../formats/pem.ts";
import { readHostCertificate } from "../../formats/pem-certificate.ts";
import { readPrivateKey } from "../../formats/pem-keys.ts";
import { canonicalForm, type ContentClass } from "../class.ts";
import { linesOf } from "./text-lines.ts";

const keyPath = "etc/ssl/private/ssl-cert-snakeoil.key";
const certificatePath = "etc/ssl/certs/ssl-cert-snakeoil.pem";
const maxBytes = 64 * 1024;

/** The key and the certificate that Debian's ssl-cert makes for servers that have none yet. */
export const snakeoil: ContentClass = {
  name: "snakeoil",
  version: 1,
  meaning: "ssl-cert made another key, and a certificate for another host or time",
  normalises:
    "the key becomes its type and size; a certificate that its own key signed for a host, and that says it is no " +
    "authority, becomes its algorithm, key size, lifetime, extensions and how many names it has",
  safety:
    "both were made at random when the image was built, and nobody can rely on the host name of a machine that " +
    "builds; a certificate with anything else in it is kept, and so is the link to it that has its name's hash",
  warning: "a private key is in the image, and with it known to everybody who has the image",
  applies: ({ path }) => path === keyPath || path === certificatePath,
  normalise({ path, bytes }) {
    const lines = bytes.length <= maxBytes ? linesOf(bytes) : undefined;
    const [block, ...others] = (lines && readPem(lines, 64, () => false)) ?? [];
    if (!block || others.length > 0) return undefined;
    if (path === keyPath) {
      const kind = readPrivateKey(block);
      return kind && canonicalForm("snakeoil-key", [block.label, kind.type, kind.size]);
    }
    const found =
      path === certificatePath && block.label === "CERTIFICATE" ? readHostCertificate(block.bytes) : undefined;
    if (!found) return undefined;
    const { key, algorithm, lifetime, extensions, nameCount } = found;
    const numbers = [key.type, key.size, String(lifetime), String(nameCount), ...extensions];
    return canonicalForm("snakeoil-certificate", [algorithm, ...numbers]);
  },
};
