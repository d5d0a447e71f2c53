import { X509Certificate } from "node:crypto";
import { type DerElement, readDer, readDerInside } from "./pem-der.ts";
import { type KeyKind, kindOfKey } from "./pem-keys.ts";

/** A certificate for host names that is signed by its own key and may not sign others. */
export interface HostCertificate {
  readonly key: KeyKind;
  /** The signature's algorithm in DER. */
  readonly algorithm: Buffer;
  /** From its first to its last moment, in seconds. */
  readonly lifetime: number;
  /** Object identifiers of its extensions in hex, in their order. */
  readonly extensions: readonly string[];
  /** How many names stand in the extension for other names. */
  readonly nameCount: number;
}

const sequence = 0x30;
const set = 0x31;
const integer = 0x02;
const octetString = 0x04;
const identifier = 0x06;
const commonName = "550403";
const basicConstraints = "551d13";
const alternativeNames = "551d11";
const keyIdentifier = "551d0e";
const notAnAuthority = "3000";
const hostName =
  /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?)*$/;

/**
 * Reads an X.509 certificate (RFC 5280) in DER. Nothing unless subject and issuer are the same
 * common name with a host's form, its own key has signed it, it says that it is no
 * authority, and it has no extensions but that, other names of hosts, and its key's identifier.
 */
export function readHostCertificate(der: Buffer): HostCertificate | undefined {
  const certificate = parseCertificate(der);
  const fields = certificate && readDerInside(readDerInside(only(readDer(der)), sequence)?.[0], sequence);
  if (!certificate || fields?.length !== 8) return undefined;
  const [version, serial, algorithm, issuer, , subject, , extensions] = fields;
  const isThirdVersion = version?.bytes.toString("hex") === "a003020102";
  const isNumbered = serial?.tag === integer && serial.content.length <= 20 && (serial.content[0] ?? 0x80) < 0x80;
  const isOwnIssuer = subject !== undefined && issuer?.bytes.equals(subject.bytes) === true && isHost(subject);
  const known = readExtensions(extensions);
  if (!isThirdVersion || !isNumbered || !isOwnIssuer || !algorithm || !known) return undefined;
  const key = ownKey(certificate);
  if (!key) return undefined;
  const lifetime = (certificate.validToDate.getTime() - certificate.validFromDate.getTime()) / 1000;
  return lifetime > 0 ? { key, algorithm: algorithm.bytes, lifetime, ...known } : undefined;
}

/** A certificate's subject as OpenSSL writes it; nothing when the bytes are not one certificate and no more. */
export function subjectOfCertificate(der: Buffer): string | undefined {
  return attempt(() => parseCertificate(der)?.subject);
}

function parseCertificate(der: Buffer): X509Certificate | undefined {
  const certificate = attempt(() => new X509Certificate(der));
  return certificate?.raw.equals(der) === true ? certificate : undefined;
}

/** The kind of the certificate's key, if that has signed it. */
function ownKey(certificate: X509Certificate): KeyKind | undefined {
  return attempt(() => (certificate.verify(certificate.publicKey) ? kindOfKey(certificate.publicKey) : undefined));
}

/** Damaged certificates throw not only when they are parsed, but also when their parts are read. */
function attempt<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function only<Item>(items: readonly Item[] | undefined): Item | undefined {
  return items?.length === 1 ? items[0] : undefined;
}

/** A name of one part, which is a common name of a host's form. */
function isHost(name: DerElement): boolean {
  const parts = readDerInside(only(readDerInside(only(readDerInside(name, sequence)), set)), sequence);
  const [type, value] = parts ?? [];
  const isCommonName = type?.tag === identifier && type.content.toString("hex") === commonName;
  const isText = value?.tag === 0x0c || value?.tag === 0x13;
  return parts?.length === 2 && isCommonName && isText && hostName.test(value.content.toString("latin1"));
}

function readExtensions(
  element: DerElement | undefined,
): Pick<HostCertificate, "extensions" | "nameCount"> | undefined {
  const list = readDerInside(only(readDerInside(element, 0xa3)), sequence);
  if (!list) return undefined;
  const extensions: string[] = [];
  let nameCount = 0;
  for (const item of list) {
    const [type, value, ...others] = readDerInside(item, sequence) ?? [];
    if (type?.tag !== identifier || value?.tag !== octetString || others.length > 0) return undefined;
    const name = type.content.toString("hex");
    const count = countNames(name, value.content);
    if (extensions.includes(name) || count === undefined) return undefined;
    extensions.push(name);
    nameCount += count;
  }
  return extensions.includes(basicConstraints) ? { extensions, nameCount } : undefined;
}

/** How many host names an extension has; nothing when it is not of a known form. */
function countNames(extension: string, value: Buffer): number | undefined {
  if (extension === basicConstraints) return value.toString("hex") === notAnAuthority ? 0 : undefined;
  if (extension === keyIdentifier) return value.length === 22 && value.readUInt16BE(0) === 0x0414 ? 0 : undefined;
  const names = extension === alternativeNames ? readDerInside(only(readDer(value)), sequence) : undefined;
  const areHosts = names?.every(({ tag, content }) => tag === 0x82 && hostName.test(content.toString("latin1")));
  return names && names.length > 0 && areHosts === true ? names.length : undefined;
}
