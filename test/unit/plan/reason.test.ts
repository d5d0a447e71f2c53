import { describe, expect, test } from "vitest";
import { digestOf } from "../../../src/oci/digest.ts";
import type { BuildInputs } from "../../../src/plan/changes.ts";
import { planOf } from "../../../src/plan/plan.ts";
import type { Earlier, PlatformFacts, ReasonCode, ReleaseFacts } from "../../../src/plan/types.ts";

const inputs: BuildInputs = {
  source: digestOf("source"),
  epoch: 1,
  context: digestOf("context"),
  dockerfile: "Dockerfile",
  toolchain: digestOf("toolchain"),
  args: { A: "1", B: "2" },
  builder: "buildkit v1",
  exporter: "compression=uncompressed",
  normaliser: "1; zlib",
};
const [key, otherKey, image, otherImage] = ["key", "other key", "image", "other image"].map(digestOf) as [
  PlatformFacts["buildKey"],
  PlatformFacts["buildKey"],
  PlatformFacts["buildKey"],
  PlatformFacts["buildKey"],
];
const index = digestOf("index");
const recorded = { index, inputs };
const same = { manifest: image, buildKey: key };
const older = { manifest: image, buildKey: otherKey };
const stored = { manifest: image, varied: false, seconds: 10 };

const expired = { class: "elf-build-id", expires: "2026-01-01" };

/** A release of one platform that was never built, with what a case changes. */
function facts(change: Partial<ReleaseFacts> = {}, platform: Partial<PlatformFacts> = {}): ReleaseFacts {
  return {
    recipe: "tini",
    version: "1.0",
    inputs,
    toolchain: "packages",
    checks: digestOf("checks"),
    upstream: digestOf("upstream"),
    platforms: [{ platform: "linux/amd64", extended: false, buildKey: key, ...platform }],
    standsOn: [],
    tagMoves: false,
    expiredWaivers: [],
    wrongPins: [],
    ...change,
  };
}

function then(change: Partial<Extract<Earlier, { state: "there" }>> = {}): Pick<ReleaseFacts, "since"> {
  const { builder: _, exporter: __, normaliser: ___, ...before } = inputs;
  const earlier: Earlier = {
    state: "there",
    inputs: before,
    platforms: ["linux/amd64"],
    upstream: digestOf("upstream"),
    checks: digestOf("checks"),
    files: [],
    ...change,
  };
  return { since: { name: "main", earlier } };
}
const released = (answer: typeof index | "absent", missing?: readonly string[]): Pick<ReleaseFacts, "released"> => ({
  released: { name: "registry.example/images/tini:1.0", index: answer, ...(missing && { missing }) },
});
const before = (change: Partial<BuildInputs>): Pick<ReleaseFacts, "recorded"> => ({
  recorded: { index, inputs: { ...inputs, ...change } },
});
const upstreamTag = (digest: typeof index | "absent"): Pick<ReleaseFacts, "upstreamTag"> => ({
  upstreamTag: { name: "registry.example/tini:1.0", digest },
});

type Case = readonly [title: string, facts: ReleaseFacts, code: ReasonCode, needs: string, sentence: RegExp];
const due: readonly Case[] = [
  ["nothing is known of it", facts(), "never-built", "build", /the store has no image/],
  ["built once, and no upstream", facts({}, { extended: true, stored }), "not-varied", "build", /two varied builds/],
  [
    "the source",
    facts(before({ source: digestOf("old") }), { recorded: older }),
    "source-changed",
    "build",
    /the source changed since it was recorded: sha256:[0-9a-f]{12} became sha256:[0-9a-f]{12}$/,
  ],
  [
    "the epoch",
    facts(before({ epoch: 0 }), { recorded: older }),
    "source-changed",
    "build",
    /SOURCE_DATE_EPOCH changed since it was recorded: 0 became 1$/,
  ],
  [
    "the Dockerfile",
    facts(before({ context: digestOf("old") }), { recorded: older }),
    "dockerfile-changed",
    "build",
    /the Dockerfile or a file beside it changed/,
  ],
  [
    "which is the Dockerfile",
    facts(before({ dockerfile: "Old" }), { recorded: older }),
    "dockerfile-changed",
    "build",
    /Old became Dockerfile/,
  ],
  [
    "the toolchain",
    facts(before({ toolchain: digestOf("old") }), { recorded: older }),
    "toolchain-changed",
    "build",
    /the toolchain changed/,
  ],
  [
    "the base",
    facts({ ...before({ toolchain: digestOf("old") }), toolchain: "image" }, { recorded: older }),
    "base-changed",
    "build",
    /the base image changed/,
  ],
  [
    "an argument",
    facts(before({ args: { A: "0" } }), { recorded: older }),
    "args-changed",
    "build",
    /A=0 became A=1 B=2/,
  ],
  [
    "the builder",
    facts(before({ builder: "buildkit v0" }), { recorded: older }),
    "factory-changed",
    "build",
    /the builder changed since it was recorded: buildkit v0 became buildkit v1/,
  ],
  [
    "the exporter",
    facts(before({ exporter: "old" }), { recorded: older }),
    "factory-changed",
    "build",
    /how the factory exports layers/,
  ],
  [
    "the normaliser",
    facts(before({ normaliser: "0" }), { recorded: older }),
    "factory-changed",
    "build",
    /the factory's normaliser changed/,
  ],
  [
    "several at once",
    facts(before({ source: digestOf("old"), builder: "buildkit v0" }), { recorded: older }),
    "source-changed",
    "build",
    /; so did the builder$/,
  ],
  [
    "no inputs are recorded",
    facts({ recorded: { index } }, { recorded: older }),
    "inputs-changed",
    "build",
    /does not say what it was/,
  ],
  ["a platform more", facts({ recorded }), "platform-added", "build", /records no build for this platform/],
  [
    "built anew, and the registry has the old",
    facts({ ...before({ epoch: 0 }), ...released(index) }, { recorded: older, stored }),
    "source-changed",
    "build",
    /SOURCE_DATE_EPOCH/,
  ],
  [
    "never built, and not in the registry",
    facts(released("absent")),
    "new-release",
    "build",
    /there is no registry\.example\/images\/tini:1\.0/,
  ],
  ["in the registry, from who knows what", facts(released(index)), "unrecorded", "build", /--record/],
  [
    "built, and not in the registry",
    facts(released("absent"), { stored }),
    "unreleased",
    "publish",
    /there is no registry/,
  ],
  [
    "recorded anew since it went out, where the tag may move",
    facts({ recorded, tagMoves: true, ...released(digestOf("older")) }, { recorded: same }),
    "unreleased",
    "publish",
    /its tag is to follow$/,
  ],
  [
    "recorded, and not in the registry",
    facts({ recorded, ...released("absent") }, { recorded: same }),
    "unreleased",
    "publish",
    /there is no registry/,
  ],
  [
    "no proof beside it",
    facts({ recorded, ...released(index, ["signature", "provenance"]) }, { recorded: same }),
    "attestation-missing",
    "publish",
    /lacks its signature and its provenance/,
  ],
  [
    "a waiver of yesterday",
    facts({ recorded, expiredWaivers: [expired] }, { recorded: same }),
    "waiver-expired",
    "person",
    /elf-build-id, 2026-01-01/,
  ],
  [
    "since: not there",
    facts({ since: { name: "main", earlier: { state: "absent" } } }, { stored }),
    "new-release",
    "build",
    /new since main/,
  ],
  [
    "since: not readable",
    facts({ since: { name: "main", earlier: { state: "unreadable" } } }),
    "inputs-changed",
    "build",
    /as it was at main/,
  ],
  ["since: a platform more", facts(then({ platforms: ["linux/arm64"] })), "platform-added", "build", /only since main/],
  [
    "since: a file beside the Dockerfile, built already",
    facts(then({ inputs: { ...inputs, context: digestOf("old") }, files: ["fix.patch"] }), { stored }),
    "dockerfile-changed",
    "build",
    /\(fix\.patch\)$/,
  ],
  [
    "since: another upstream",
    facts(then({ upstream: digestOf("old") })),
    "upstream-repinned",
    "build",
    /pins another upstream image/,
  ],
  [
    "since: another smoke test",
    facts(then({ checks: digestOf("old") })),
    "recipe-changed",
    "build",
    /what is checked changed since main/,
  ],
  [
    "since: the factory's own code",
    facts({ ...then(), ...before({ normaliser: "0" }) }, { recorded: older }),
    "factory-changed",
    "build",
    /normaliser/,
  ],
];
const notDue: readonly Case[] = [
  ["built", facts({}, { stored }), "up-to-date", "nothing", /the store has an image/],
  [
    "built twice",
    facts({}, { extended: true, stored: { ...stored, varied: true } }),
    "up-to-date",
    "nothing",
    /the store/,
  ],
  [
    "built anew, and no registry asked",
    facts(before({ epoch: 0 }), { recorded: older, stored }),
    "up-to-date",
    "nothing",
    /the store/,
  ],
  [
    "recorded, and the store lost",
    facts({ recorded }, { recorded: same, extended: true }),
    "up-to-date",
    "nothing",
    /records a build from exactly these inputs/,
  ],
  [
    "released as recorded",
    facts({ recorded, ...released(index, []) }, { recorded: same }),
    "up-to-date",
    "nothing",
    /is what the release records/,
  ],
  ["since: as it was, and never built", facts(then()), "up-to-date", "nothing", /changed since main/],
  [
    "since: as it was; the builder is this machine's",
    facts({ ...then(), ...before({ builder: "old" }) }, { recorded: older }),
    "up-to-date",
    "nothing",
    /changed since main/,
  ],
  [
    "upstream's tag moved",
    facts({ recorded, ...upstreamTag(digestOf("new")) }, { recorded: same }),
    "upstream-moved",
    "person",
    /refoundry pin/,
  ],
  [
    "upstream's tag is gone",
    facts({ recorded, ...upstreamTag("absent") }, { recorded: same }),
    "upstream-gone",
    "person",
    /has no registry\.example\/tini:1\.0 any more/,
  ],
];
const faults: readonly Case[] = [
  [
    "the same key, another image",
    facts({ recorded }, { recorded: same, stored: { ...stored, manifest: otherImage } }),
    "not-deterministic",
    "person",
    /is not deterministic/,
  ],
  [
    "the same key, another index under the tag",
    facts({ recorded, ...released(digestOf("moved")) }, { recorded: same }),
    "tag-moved",
    "person",
    /and its tag does not move$/,
  ],
  [
    "a pin that is wrong",
    facts({ wrongPins: [{ platform: "linux/amd64", message: "no such manifest" }] }, { stored }),
    "wrong-upstream",
    "person",
    /no such manifest/,
  ],
];

describe.each([
  ["due", due, true, 0],
  ["not due", notDue, false, 0],
  ["a fault, and nothing to build", faults, false, 1],
] as const)("%s", (_, cases, isDue, isFault) => {
  test.each(cases)("%s", (__, given, code, needs, sentence) => {
    const { jobs, totals } = planOf([given]);
    expect(jobs).toMatchObject([{ due: isDue, needs, reason: { code } }]);
    expect(jobs[0]?.reason.sentence).toMatch(sentence);
    expect(totals).toMatchObject({ jobs: 1, due: isDue ? 1 : 0, faults: isFault });
  });
});

test("every reason there is has a case", () => {
  const all: Readonly<Record<ReasonCode, true>> = {
    "wrong-upstream": true,
    "not-deterministic": true,
    "tag-moved": true,
    "waiver-expired": true,
    "new-release": true,
    "platform-added": true,
    "upstream-repinned": true,
    "recipe-changed": true,
    "inputs-changed": true,
    "never-built": true,
    "not-varied": true,
    unreleased: true,
    unrecorded: true,
    "attestation-missing": true,
    "upstream-gone": true,
    "upstream-moved": true,
    "up-to-date": true,
    "source-changed": true,
    "dockerfile-changed": true,
    "base-changed": true,
    "toolchain-changed": true,
    "args-changed": true,
    "factory-changed": true,
  };
  expect(new Set([...due, ...notDue, ...faults].map(([, , code]) => code))).toEqual(new Set(Object.keys(all)));
});

test("another image under another key is a refresh, never a fault", () => {
  const given = facts(before({ source: digestOf("old") }), {
    recorded: older,
    stored: { ...stored, manifest: otherImage },
  });
  expect(planOf([given]).totals.faults).toBe(0);
  expect(planOf([{ ...given, ...released(digestOf("moved")) }]).jobs[0]?.reason.code).toBe("source-changed");
});

test("with --since an expired waiver counts where something changed, and only there", () => {
  const expiredWaivers = [expired];
  const code = (given: ReleaseFacts): string | undefined => planOf([given]).jobs[0]?.reason.code;
  expect(code(facts({ ...then(), expiredWaivers }))).toBe("up-to-date");
  expect(code(facts({ ...then({ upstream: digestOf("old") }), expiredWaivers }))).toBe("waiver-expired");
});

test("an expired waiver for one platform leaves the others alone", () => {
  const [platform] = facts().platforms;
  if (!platform) throw new Error("no platform");
  const platforms = [platform, { ...platform, platform: "linux/arm64" as const }];
  const both = facts({ platforms, expiredWaivers: [{ ...expired, platforms: ["linux/arm64"] }] });
  const codes = planOf([both]).jobs.map(({ platform: name, reason }) => [name, reason.code]);
  expect(codes).toEqual([
    ["linux/amd64", planOf([facts()]).jobs[0]?.reason.code],
    ["linux/arm64", "waiver-expired"],
  ]);
});

test("a wrong pin of one platform leaves the others alone", () => {
  const [platform] = facts().platforms;
  if (!platform) throw new Error("no platform");
  const given = {
    ...facts({ wrongPins: [{ platform: "linux/amd64", message: "wrong" }] }),
    platforms: [platform, { ...platform, platform: "linux/arm64" as const, stored }],
  };
  expect(planOf([given]).jobs.map(({ reason }) => reason.code)).toEqual(["wrong-upstream", "up-to-date"]);
});

test("what changed is given with what it was and is, whole", () => {
  const { jobs } = planOf([
    facts(before({ toolchain: digestOf("old"), args: { B: "2", A: "1" } }), { recorded: older }),
  ]);
  expect(jobs[0]?.changes).toEqual([{ input: "toolchain", before: digestOf("old"), after: inputs.toolchain }]);
  // and the image, of which only what it was is known before it is built
  expect(jobs[0]).toMatchObject({ buildKey: key, recorded: { manifest: image, buildKey: otherKey } });
});

test("a moved upstream is noted too where something else is the reason", () => {
  const { jobs, notices } = planOf([facts(upstreamTag(digestOf("new")))]);
  expect(jobs[0]?.reason.code).toBe("never-built");
  expect(notices).toMatchObject([{ code: "upstream-moved", recipe: "tini", version: "1.0" }]);
});

describe("what builds will take", () => {
  const [platform] = facts().platforms;
  if (!platform) throw new Error("no platform");
  const known = { ...platform, stored: { ...stored, seconds: 10 } };
  const of = (...releases: ReleaseFacts[]): (number | null)[] =>
    planOf(releases).jobs.map(({ estimatedSeconds }) => estimatedSeconds);

  test("what the recorded build took counts most", () => {
    const given = facts(before({ epoch: 0 }), { recorded: older, recordedSeconds: 7 });
    expect(of({ ...facts(), version: "0.9", platforms: [known] }, given)).toEqual([0, 7]);
  });
  test("then the recipe's builds for the platform, then its others, then all", () => {
    const arm = { ...known, platform: "linux/arm64" as const, stored: { ...stored, seconds: 30 } };
    const releases = [{ ...facts(), version: "0.9", platforms: [known, arm] }];
    expect(of(...releases, facts())).toEqual([0, 0, 10]);
    expect(of(...releases, facts({}, { platform: "linux/386" }))).toEqual([0, 0, 20]);
    expect(of(...releases, { ...facts({}, { platform: "linux/386" }), recipe: "other" })).toEqual([0, 0, 20]);
  });
  test("what upstream never had is built twice, once where one build is there", () => {
    const releases = [{ ...facts(), version: "0.9", platforms: [known] }];
    expect(of(...releases, facts({}, { extended: true }))).toEqual([0, 20]);
    expect(of(facts({}, { extended: true, stored }))).toEqual([10]);
  });
  test("nothing is made up", () => {
    expect(planOf([facts()])).toMatchObject({
      jobs: [{ estimatedSeconds: null, dependsOn: [] }],
      totals: { estimatedSeconds: 0, unestimated: 1 },
    });
  });
});
