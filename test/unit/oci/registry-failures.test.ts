import { describe, expect, test } from "vitest";
import { infrastructureError } from "../../../src/errors.ts";
import { endpointOf, isPrivateTransport } from "../../../src/oci/registry/endpoint.ts";
import { resolveLocation } from "../../../src/oci/registry/exchange.ts";
import { firstLine, networkFailure, refusalFailure, TransientFailure } from "../../../src/oci/registry/failures.ts";
import { parseRetryAfter, retried } from "../../../src/oci/registry/retry.ts";

const target = { host: "r.example", repository: "team/app", what: "manifest 1" };
const coded = (code: string): Error => Object.assign(new Error("x"), { code });

describe("where a registry is spoken to", () => {
  test.each([
    ["docker.io", "https://registry-1.docker.io"],
    ["r.example:5000", "https://r.example:5000"],
    ["localhost:5000", "http://localhost:5000"],
    ["127.8.9.1:5000", "http://127.8.9.1:5000"],
    ["[::1]:5000", "http://[::1]:5000"],
    ["127.0.0.1.evil.example", "https://127.0.0.1.evil.example"],
    ["localhost.evil.example", "https://localhost.evil.example"],
    ["10.0.0.1:5000", "https://10.0.0.1:5000"],
  ])("%s", (host, origin) => {
    expect(endpointOf(host, "loopback").origin).toBe(origin);
    expect(endpointOf(host, "never").origin).toBe(origin.replace("http://", "https://"));
  });

  test.each([
    ["https://a.example", true],
    ["http://127.0.0.1:1", true],
    ["http://a.example", false],
    ["ftp://127.0.0.1", false],
    ["file:///etc/passwd", false],
  ])("only what cannot be read on the way is used: %s", (url, isPrivate) => {
    expect(isPrivateTransport(new URL(url))).toBe(isPrivate);
  });

  test("a Location is resolved, loses credentials, and never leads to plain http or files", () => {
    const base = new URL("https://r.example/v2/a/blobs/x");
    expect(resolveLocation("../y?z=1", base, target).href).toBe("https://r.example/v2/a/y?z=1");
    expect(resolveLocation("https://me:pw@s.example/", base, target).href).toBe("https://s.example/");
    expect(resolveLocation("http://r.example/y?z", base, target).href).toBe("https://r.example/y?z");
    for (const location of [undefined, "http://s.example/?sig=SECRET", "file:///etc/passwd", "http://["]) {
      expect(() => resolveLocation(location, base, target)).toThrow(/r\.example sends us/);
      expect(() => resolveLocation(location, base, target)).not.toThrow(/SECRET/);
    }
  });
});

describe("messages", () => {
  test.each([
    ["ENOTFOUND", /r\.example is unknown/, false],
    ["ECONNREFUSED", /refuses connections/, false],
    [
      "DEPTH_ZERO_SELF_SIGNED_CERT",
      /certificate of the registry r\.example is not trusted[^]*NODE_EXTRA_CA_CERTS/,
      false,
    ],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", /certs\.d\/r\.example\/ca\.crt/, false],
    ["ERR_TLS_CERT_ALTNAME_INVALID", /certificate of the registry r\.example is for another name/, false],
    ["CERT_HAS_EXPIRED", /is not valid today/, false],
    ["ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", /may want a client certificate[^]*client\.cert/, false],
    ["EAI_AGAIN", /cannot be looked up now/, true],
    ["ERR_SSL_WRONG_VERSION_NUMBER", /does not speak TLS/, false],
    ["ECONNRESET", /failed: ECONNRESET/, true],
    ["UND_ERR_HEADERS_TIMEOUT", /UND_ERR_HEADERS_TIMEOUT/, true],
  ])("a connection that ends with %s", (code, message, isTransient) => {
    const failure = networkFailure(new Error("outer", { cause: coded(code) }), target, "r.example");
    expect(failure.message).toMatch(message);
    expect(failure.message).toContain("r.example/team/app");
    expect(failure instanceof TransientFailure).toBe(isTransient);
  });

  test.each([
    [
      { status: 401, codes: ["UNAUTHORIZED"] },
      /refuses access to r\.example\/team\/app.*no credentials[^]*docker login r\.example/,
    ],
    [{ status: 403, codes: ["DENIED"], authenticated: true }, /do not suffice/],
    [{ status: 403, codes: ["DENIED"], message: "storage quota exceeded" }, /no room left/],
    [{ status: 404, codes: ["NAME_UNKNOWN"] }, /has no repository team\/app/],
    [{ status: 404, codes: ["MANIFEST_UNKNOWN"] }, /r\.example\/team\/app has no manifest 1/],
    [{ status: 429, codes: ["TOOMANYREQUESTS"] }, /limits requests[^]*docker login/],
    [{ status: 403, storageHost: "s.example" }, /^s\.example, where r\.example keeps/],
    [{ status: 500, message: "oops" }, /answered 500 oops[^]*again later/],
    [{ status: 401, authenticated: true }, /not accepted or do not suffice[^]*docker login r\.example/],
    [
      { status: 403, codes: ["DENIED"], authenticated: true, isWrite: true },
      /let us write to[^]*may push to team\/app/,
    ],
    [{ status: 413 }, /too large[^]*limit raised/],
    [{ status: 405, isWrite: true }, /read-only/],
    [{ status: 404, codes: ["NAME_UNKNOWN"], isWrite: true }, /makes none when somebody pushes/],
    [{ status: 507 }, /no room left/],
  ])("a refusal %o", (refusal, message) => {
    expect(refusalFailure({ codes: [], message: "", authenticated: false, ...refusal }, target).message).toMatch(
      message,
    );
  });

  test("Docker Hub's login has no host", () => {
    const failure = refusalFailure(
      { status: 401, codes: [], message: "", authenticated: false },
      { ...target, host: "docker.io" },
    );
    expect(failure.message).toMatch(/docker login$/);
  });

  test("a server's words are one harmless line", () => {
    expect(firstLine("a\u001b[31m\nb\u202e\u2028c")).toBe("a [31m b c");
    expect(firstLine("x".repeat(1000)).length).toBeLessThan(210);
  });
});

describe("trying again", () => {
  const policy = { retries: 3, firstDelay: 1, longestWait: 1 };
  const transient = (retryAfter?: number): TransientFailure =>
    new TransientFailure(infrastructureError("busy", { hint: "wait" }), retryAfter);

  test("until it works; the failure is told with the count when it never does", async () => {
    let calls = 0;
    const work = async (): Promise<number> => {
      calls++;
      if (calls < 3) throw transient();
      return calls;
    };
    expect(await retried(work, policy)).toBe(3);
    await expect(retried(() => Promise.reject(transient()), policy)).rejects.toThrow("busy; tried 4 times\n  wait");
  });

  test("never what does not pass by itself", async () => {
    let calls = 0;
    await expect(
      retried(() => {
        calls++;
        throw infrastructureError("no");
      }, policy),
    ).rejects.toThrow("no");
    expect(calls).toBe(1);
  });

  test("Retry-After is honoured, and not waited for when it is too long", async () => {
    let calls = 0;
    const startedAt = performance.now();
    await retried(async () => {
      calls++;
      if (calls === 1) throw transient(0.3);
    }, policy);
    expect(performance.now() - startedAt).toBeGreaterThan(250);
    await expect(retried(() => Promise.reject(transient(3600)), policy)).rejects.toThrow(
      "tried 1 time; it asks to wait 3600 seconds",
    );
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });

  test("an abort ends the waiting", async () => {
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 20);
    await expect(
      retried(() => Promise.reject(transient(30)), { ...policy, longestWait: 60 }, abort.signal),
    ).rejects.toMatchObject({ kind: "interrupted" });
  });

  test("Retry-After is seconds or a date", () => {
    const now = Date.UTC(2026, 0, 1);
    expect(parseRetryAfter("7", now)).toBe(7);
    expect(parseRetryAfter("Thu, 01 Jan 2026 00:01:00 GMT", now)).toBe(60);
    expect(parseRetryAfter("Thu, 01 Jan 2015 00:01:00 GMT", now)).toBe(0);
    expect(parseRetryAfter("soon", now)).toBeUndefined();
    expect(parseRetryAfter(undefined, now)).toBeUndefined();
  });
});
