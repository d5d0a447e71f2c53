import { canonicalForm, type ContentClass } from "../class.ts";

const path = /^etc\/ssh\/ssh_host_(rsa|ecdsa|ed25519|dsa)_key(\.pub)?$/;
const privateKey =
  /^-----BEGIN (?:OPENSSH|RSA|DSA|EC) PRIVATE KEY-----\n[A-Za-z0-9+/=\n]+-----END (?:OPENSSH|RSA|DSA|EC) PRIVATE KEY-----\n$/;
const publicKey = /^(?:ssh-rsa|ssh-dss|ssh-ed25519|ecdsa-sha2-nistp\d{3}) [A-Za-z0-9+/=]+(?: [^\n]*)?\n$/;
const maxBytes = 16 * 1024;

/** Keys of an SSH server that were drawn when the image was made. */
export const sshHostKey: ContentClass = {
  name: "ssh-host-key",
  version: 1,
  meaning: "another host key of an SSH server",
  normalises: "a private key in PEM form, or a public key of one line, is replaced by its kind",
  safety: "it was drawn at random when the image was made; that it is in an image at all is the news",
  warning: "a host key is in the image: its private half is a secret that everybody can read",
  applies: (file) => path.test(file.path),
  normalise(file) {
    const [, kind = "", half] = path.exec(file.path) ?? [];
    if (file.bytes.length > maxBytes) return undefined;
    const form = half === undefined ? privateKey : publicKey;
    return form.test(file.bytes.toString("latin1")) ? canonicalForm("ssh-host-key", [kind, half ?? ""]) : undefined;
  },
};
