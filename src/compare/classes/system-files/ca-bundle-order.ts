import { type PemBlock, readPem, writePem } from "../../formats/pem.ts";
import { subjectOfCertificate } from "../../formats/pem-certificate.ts";
import type { ContentClass } from "../class.ts";
import { linesOf } from "./text-lines.ts";

const paths: ReadonlySet<string> = new Set([
  "etc/ssl/certs/ca-certificates.crt",
  "etc/ssl/cert.pem",
  "etc/ssl/ca-bundle.pem",
  "etc/pki/tls/certs/ca-bundle.crt",
  "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "etc/pki/ca-trust/extracted/pem/email-ca-bundle.pem",
  "etc/pki/ca-trust/extracted/pem/objsign-ca-bundle.pem",
  "var/lib/ca-certificates/ca-bundle.pem",
]);
const maxBytes = 4 * 1024 * 1024;
const maxCertificates = 2000;

/** In which order a bundle has the certificates of authorities. */
export const caBundleOrder: ContentClass = {
  name: "ca-bundle-order",
  version: 1,
  meaning: "a bundle of authorities' certificates has them in another order, or other comments between them",
  normalises:
    "certificates are sorted by subject; those of one subject keep their order; empty lines and lines that begin with " +
    "# go, anything else between certificates refuses the file",
  safety:
    "programs look an authority up by its subject and trust all that are in the file; none is added, lost or " +
    "counted twice",
  applies: ({ path }) => paths.has(path),
  normalise({ path, bytes }) {
    const lines = paths.has(path) && bytes.length <= maxBytes ? linesOf(bytes) : undefined;
    const blocks = lines && readPem(lines, 64, isIgnored);
    if (!blocks || blocks.length === 0 || blocks.length > maxCertificates) return undefined;
    const found = blocks.map((block) => ({ block, subject: subjectOf(block) }));
    if (found.some(({ subject }) => subject === undefined)) return undefined;
    const sorted = found.toSorted((a, b) => compare(a.subject ?? "", b.subject ?? ""));
    return Buffer.from(sorted.map(({ block }) => writePem(block)).join(""), "latin1");
  },
};

/** Some programs take hyphens for the start of a certificate wherever they stand in a line. */
function isIgnored(line: string): boolean {
  return line === "" || (line.startsWith("#") && !line.includes("---"));
}

/** As programs compare names (RFC 5280, section 7.1): without regard to case and spaces. */
function subjectOf({ label, bytes }: PemBlock): string | undefined {
  const subject = label === "CERTIFICATE" ? subjectOfCertificate(bytes) : undefined;
  return subject?.toLowerCase().replaceAll(/\s/g, "");
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
