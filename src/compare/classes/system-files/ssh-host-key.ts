import { readPem } from "../../formats/pem.ts";
import { type KeyKind, readPrivateKey } from "../../formats/pem-keys.ts";
import { readOpenSshKey, readSshPublicKey } from "../../formats/pem-openssh.ts";
import { canonicalForm, type ContentClass } from "../class.ts";
import { linesOf } from "./text-lines.ts";

const path = /^etc\/ssh\/ssh_host_(rsa|ecdsa|ed25519)_key(\.pub)?$/;
const publicForm =
  /^(ssh-rsa|ssh-ed25519|ecdsa-sha2-nistp(?:256|384|521)) ([A-Za-z0-9+/]+={0,2})(?: [\x21-\x7e]{1,255})?\n$/;
const typesInNames: ReadonlyMap<string, KeyKind["type"]> = new Map([
  ["rsa", "rsa"],
  ["ecdsa", "ec"],
  ["ed25519", "ed25519"],
]);
const maxBytes = 64 * 1024;

/** The keys by which an SSH server shows who it is. */
export const sshHostKey: ContentClass = {
  name: "ssh-host-key",
  version: 1,
  meaning: "the SSH server has another host key",
  normalises:
    "a private key that nothing encrypts, or a public one, of the type that the file's name tells, becomes its form, type " +
    "and size; an RSA key keeps its exponent. Private keys are kept when their parts do not belong together",
  safety:
    "the key was made at random when the image was built, and any other does the same; whether the public file " +
    "belongs to the private one is not looked into",
  warning: "a private key is in the image, and with it known to everybody who has the image",
  applies: (file) => path.test(file.path),
  normalise(file) {
    const [, name, suffix] = path.exec(file.path) ?? [];
    if (name === undefined || file.bytes.length > maxBytes) return undefined;
    const found = suffix === undefined ? readPrivate(file.bytes) : readPublic(file.bytes.toString("latin1"));
    if (!found || found.kind.type !== typesInNames.get(name)) return undefined;
    return canonicalForm("ssh-host-key", [found.form, found.kind.type, found.kind.size]);
  },
};

interface FoundKey {
  /** What the file is: a PEM label, or `public`. */
  readonly form: string;
  readonly kind: KeyKind;
}

function readPrivate(bytes: Buffer): FoundKey | undefined {
  const lines = [...(linesOf(bytes) ?? [])];
  const width = lines[0] === "-----BEGIN OPENSSH PRIVATE KEY-----" ? 70 : 64;
  const [block, ...others] = readPem(lines, width, () => false) ?? [];
  if (!block || others.length > 0) return undefined;
  const kind = width === 70 ? readOpenSshKey(block.bytes) : readPrivateKey(block);
  return kind && { form: block.label, kind };
}

function readPublic(text: string): FoundKey | undefined {
  const [, type = "", encoded = ""] = publicForm.exec(text) ?? [];
  const bytes = Buffer.from(encoded, "base64");
  if (type === "" || bytes.toString("base64") !== encoded) return undefined;
  const kind = bytes.toString("latin1", 4, 4 + type.length) === type ? readSshPublicKey(bytes) : undefined;
  return kind && { form: "public", kind };
}
