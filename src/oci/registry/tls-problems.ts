import { errors } from "undici";
import { errorCode } from "../../errors.ts";

/**
 * Whether a TLS server accepted a connection and ended it without a word: so does one
 * that wants a client certificate, as TLS 1.3 asks for it after the handshake.
 */
export function closedUnanswered(error: unknown): boolean {
  if (!(error instanceof errors.SocketError) || codeOf(error) !== "UND_ERR_SOCKET") return false;
  return error.socket?.bytesRead === 0;
}

/** Where people put what is needed to trust a registry. */
export function certificateFolder(host: string): string {
  return `~/.docker/certs.d/${host}`;
}

/** What went wrong with TLS, around the name of the server; undefined when it was something else. */
export function tlsProblem(
  code: string,
  host: string,
): { readonly subject: string; readonly reason: string; readonly hint: string } | undefined {
  const certificate = "the TLS certificate of";
  if (code === "CERT_HAS_EXPIRED" || code === "CERT_NOT_YET_VALID")
    return { subject: certificate, reason: "is not valid today", hint: "have it renewed, or set this machine's clock" };
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID")
    return { subject: certificate, reason: "is for another name", hint: "check the spelling of the host" };
  if (/ALERT_(?:CERTIFICATE_REQUIRED|BAD_CERTIFICATE|UNKNOWN_CA|HANDSHAKE_FAILURE|CERTIFICATE_UNKNOWN)/.test(code)) {
    return {
      subject: "the TLS handshake with",
      reason: "was refused; it may want a client certificate",
      hint: `put one into ${certificateFolder(host)}/client.cert, and its key into client.key next to it`,
    };
  }
  if (/CERT|SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET_ISSUER)|ERR_TLS_/.test(code)) {
    return {
      subject: certificate,
      reason: "is not trusted",
      hint: `put the certificate of the authority that signed it into ${certificateFolder(host)}/ca.crt or /etc/docker/certs.d/${host}/ca.crt, or name it: NODE_EXTRA_CA_CERTS=/path/to/ca.pem`,
    };
  }
  if (code === "EPROTO" || code.startsWith("ERR_SSL")) {
    return {
      subject: "",
      reason: "does not speak TLS as expected",
      hint: "plain http is spoken only to loopback addresses; give the registry TLS",
    };
  }
  return undefined;
}

/** The code of an error or of what caused it. */
export function codeOf(error: unknown): string {
  for (let inner = error, depth = 0; inner instanceof Error && depth < 5; inner = inner.cause, depth++) {
    const code = errorCode(inner);
    if (code !== undefined) return code;
  }
  return "";
}
