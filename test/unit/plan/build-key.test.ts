import { expect, test } from "vitest";
import { canonicalJson } from "../../../src/json.ts";
import { digestOf } from "../../../src/oci/digest.ts";
import { type BuildKeyInput, buildKeyOf } from "../../../src/plan/build-key.ts";

const input: BuildKeyInput = {
  sourceArchive: digestOf("source"),
  contextDigest: digestOf("context"),
  dockerfile: "Dockerfile",
  toolchain: digestOf("toolchain"),
  buildArgs: { A: "1", B: "2" },
  platform: "linux/amd64",
  epoch: 1,
  builder: "buildkit v1",
  exporter: { compression: "uncompressed" },
  normaliser: "1",
};

test("the order of keys does not matter", () => {
  const reordered: BuildKeyInput = {
    ...Object.fromEntries(Object.entries(input).toReversed()),
    buildArgs: { B: "2", A: "1" },
  } as unknown as BuildKeyInput;
  expect(buildKeyOf(reordered)).toBe(buildKeyOf(input));
});

const changes: Partial<Record<keyof BuildKeyInput, unknown>> = {
  sourceArchive: digestOf("other"),
  contextDigest: digestOf("other"),
  dockerfile: "Containerfile",
  toolchain: digestOf("other"),
  buildArgs: { A: "1" },
  platform: "linux/arm64",
  epoch: 2,
  builder: "buildkit v2",
  exporter: {},
  normaliser: "2",
};

test.each(Object.keys(input))("another %s gives another key", (field) => {
  expect(changes).toHaveProperty(field);
  expect(buildKeyOf({ ...input, [field]: changes[field as keyof BuildKeyInput] })).not.toBe(buildKeyOf(input));
});

test("canonical JSON sorts by code unit, keeps arrays, drops undefined", () => {
  expect(canonicalJson({ b: [2, 1], a: { é: 1, z: undefined, Z: null } })).toBe('{"a":{"Z":null,"é":1},"b":[2,1]}');
});
