import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { digestOf } from "../../../src/oci/digest.ts";
import { formatReference, parseReference } from "../../../src/oci/reference.ts";

describe("an image in a Docker archive", () => {
  test.each([
    ["docker-archive:a.tar", { path: "a.tar" }],
    ["docker-archive:/x/a.tar:app", { path: "/x/a.tar", image: "docker.io/library/app" }],
    ["docker-archive:/x/a.tar:app:1.0", { path: "/x/a.tar", image: "docker.io/library/app:1.0" }],
    ["docker-archive:a.tar:r.example:5000/t/app:1", { path: "a.tar", image: "r.example:5000/t/app:1" }],
    ["docker-archive:a.tar:@0", { path: "a.tar", index: 0 }],
    ["docker-archive:a.tar:@12", { path: "a.tar", index: 12 }],
  ])("%s", (text, reference) => {
    expect(parseReference(text)).toEqual({ kind: "docker-archive", ...reference });
    expect(parseReference(formatReference(parseReference(text)))).toEqual(parseReference(text));
  });

  test.each([
    ["docker-archive:", "names no file"],
    ["docker-archive::app", "names no file"],
    ["docker-archive:a.tar:", "nothing follows the colon"],
    ["docker-archive:a.tar:@", "position"],
    ["docker-archive:a.tar:@-1", "position"],
    ["docker-archive:a.tar:@1.5", "position"],
    ["docker-archive:a.tar:@99999999", "position"],
    ["docker-archive:a.tar:App", "lower case"],
    [`docker-archive:a.tar:app@${digestOf("x")}`, "not by digest"],
  ])("%s is refused", (text, reason) => {
    expect(() => parseReference(text)).toThrow(reason);
  });

  test("whatever follows docker-archive: is refused as usage or comes back the same", () => {
    const word = fc.constantFrom(":", "@", "/", "a", "1", ".tar", "localhost", "_", digestOf("x"));
    fc.assert(
      fc.property(fc.array(word, { maxLength: 9 }), (words) => {
        let reference;
        try {
          reference = parseReference(`docker-archive:${words.join("")}`);
        } catch (error) {
          expect(error).toMatchObject({ kind: "usage" });
          return;
        }
        expect(parseReference(formatReference(reference))).toEqual(reference);
      }),
      { numRuns: 2000 },
    );
  });
});
