import type { PlatformName } from "../oci/platform.ts";
import { changedInputs, codeOf, describeChanges, type InputChange } from "./changes.ts";
import type { Needs, PlatformFacts, ReasonCode, ReleaseFacts } from "./types.ts";

/** What came of looking at one platform of a release. */
export interface Reasoned {
  readonly code: ReasonCode;
  readonly sentence: string;
  readonly needs: Needs;
  readonly changes: readonly InputChange[];
}

/** Codes that stand for a fault, not for work: nothing is to be built before a person has looked. */
const faults: ReadonlySet<ReasonCode> = new Set(["wrong-upstream", "not-deterministic", "tag-moved"]);

/** Whether a code stands for a fault. */
export function isFault(code: ReasonCode): boolean {
  return faults.has(code);
}

/** Codes that say something of upstream that a person decides on; a build would give what it gave. */
const remarks: ReadonlySet<ReasonCode> = new Set(["upstream-moved", "upstream-gone"]);

/** Whether work is due: a build, a publication, or a decision without which a rebuild is refused. */
export function isDue({ code, needs }: Reasoned): boolean {
  return needs !== "nothing" && !faults.has(code) && !remarks.has(code);
}

function reasoned(code: ReasonCode, needs: Needs, sentence: string, changes: readonly InputChange[] = []): Reasoned {
  return { code, needs, sentence, changes };
}

/**
 * Finds the reason for one platform of a release. Another digest under the same build key
 * is a fault; another build key is a refresh that is due, with the input that changed.
 */
export function reasonOf(release: ReleaseFacts, platform: PlatformFacts): Reasoned {
  const { since } = release;
  const changed = since && sinceRevision(release, since, platform);
  return (
    wrongPin(release, platform.platform) ??
    contradiction(release, platform) ??
    // that a day has passed is nothing that a change of files made due
    (since && !changed ? undefined : expiredWaiver(release, platform.platform)) ??
    (since ? changed : sinceRecorded(release, platform)) ??
    ofUpstream(release) ??
    upToDate(release, platform)
  );
}

function wrongPin({ wrongPins }: ReleaseFacts, platform: PlatformName): Reasoned | undefined {
  const wrong = wrongPins.find((pin) => pin.platform === undefined || pin.platform === platform);
  return wrong && reasoned("wrong-upstream", "person", wrong.message);
}

/** The same inputs and another result: in the store, or under the release's tag. */
function contradiction({ recorded, released, tagMoves }: ReleaseFacts, platform: PlatformFacts): Reasoned | undefined {
  if (platform.recorded?.buildKey !== platform.buildKey) return undefined;
  const { stored } = platform;
  if (stored && stored.manifest !== platform.recorded.manifest) {
    return reasoned(
      "not-deterministic",
      "person",
      `the same build key gave ${stored.manifest} in the store and ${platform.recorded.manifest} in the release: the build is not deterministic`,
    );
  }
  if (!recorded || !released || released.index === "not-asked" || released.index === "absent") return undefined;
  if (released.index === recorded.index || tagMoves) return undefined;
  return reasoned(
    "tag-moved",
    "person",
    `${released.name} is ${released.index}, and the release records ${recorded.index}: somebody moved the tag, or the release was recorded anew since it went out, and its tag does not move`,
  );
}

function expiredWaiver({ expiredWaivers }: ReleaseFacts, platform: PlatformName): Reasoned | undefined {
  const expired = expiredWaivers.filter(({ platforms }) => platforms === undefined || platforms.includes(platform));
  if (expired.length === 0) return undefined;
  const which = expired.map((waiver) => `${waiver.class}, ${waiver.expires}`).join(", ");
  return reasoned(
    "waiver-expired",
    "person",
    `a waiver that the release may stand on expired (${which}): its owner decides, then it is judged again`,
  );
}

/** What a change of files makes due, whatever was built or recorded before. */
function sinceRevision(
  release: ReleaseFacts,
  { name, earlier }: NonNullable<ReleaseFacts["since"]>,
  { platform }: PlatformFacts,
): Reasoned | undefined {
  if (earlier.state === "absent") return reasoned("new-release", "build", `the release is new since ${name}`);
  if (earlier.state === "unreadable")
    return reasoned("inputs-changed", "build", `as it was at ${name} the recipe or release cannot be read any more`);
  if (!earlier.platforms.includes(platform))
    return reasoned("platform-added", "build", `the recipe has this platform only since ${name}`);
  // what the factory itself is, no file of a recipe says
  const { builder, exporter, normaliser } = release.inputs;
  const changes = changedInputs({ ...earlier.inputs, builder, exporter, normaliser }, release.inputs);
  const [first] = changes;
  if (first) {
    const files = first.input === "context" && earlier.files.length > 0 ? ` (${listed(earlier.files)})` : "";
    const sentence = describeChanges(changes, release.toolchain, name) + files;
    return reasoned(codeOf(first, release.toolchain), "build", sentence, changes);
  }
  if (earlier.upstream !== release.upstream) {
    return reasoned(
      "upstream-repinned",
      "build",
      `the release pins another upstream image than at ${name}: ${earlier.upstream.slice(0, 19)} became ${release.upstream.slice(0, 19)}`,
    );
  }
  if (earlier.checks !== release.checks)
    return reasoned(
      "recipe-changed",
      "build",
      `what is checked changed since ${name}: smoke tests, waivers or upstream`,
    );
  return factoryChanged(release);
}

/** A change of the factory's own code shows in what releases record of it; the builder is this machine's, not the change's. */
function factoryChanged({ recorded, inputs, toolchain }: ReleaseFacts): Reasoned | undefined {
  if (!recorded?.inputs) return undefined;
  const { exporter, normaliser } = recorded.inputs;
  const changes = changedInputs({ ...inputs, exporter, normaliser }, inputs);
  if (changes.length === 0) return undefined;
  return reasoned("factory-changed", "build", describeChanges(changes, toolchain, "it was recorded"), changes);
}

function listed(files: readonly string[]): string {
  return files.length <= 3 ? files.join(", ") : `${files.slice(0, 3).join(", ")} and ${files.length - 3} more`;
}

/** What is due by what was built, recorded and released. */
function sinceRecorded(release: ReleaseFacts, platform: PlatformFacts): Reasoned | undefined {
  const { recorded } = platform;
  if (recorded?.buildKey === platform.buildKey) return ofRegistry(release, true);
  const { stored, extended } = platform;
  const built = stored !== undefined && (stored.varied || !extended);
  // the registry still has what the release records, so what was built since is to go out
  if (recorded && (release.released || !built)) return refresh(release);
  if (built) return ofRegistry(release, false);
  if (stored) {
    return reasoned(
      "not-varied",
      "build",
      "it was built once, and a platform upstream never had needs two varied builds that agree",
    );
  }
  if (release.recorded) return reasoned("platform-added", "build", "the release records no build for this platform");
  return neverBuilt(release);
}

function refresh({ recorded, inputs, toolchain }: ReleaseFacts): Reasoned {
  const changes = recorded?.inputs ? changedInputs(recorded.inputs, inputs) : [];
  const [first] = changes;
  if (first)
    return reasoned(codeOf(first, toolchain), "build", describeChanges(changes, toolchain, "it was recorded"), changes);
  return reasoned(
    "inputs-changed",
    "build",
    "something that may change the output is not as it was when the release was recorded, which does not say what it was",
  );
}

function neverBuilt({ released }: ReleaseFacts): Reasoned {
  if (released?.index === "absent")
    return reasoned("new-release", "build", `it was never built, and there is no ${released.name}`);
  if (released && released.index !== "not-asked") {
    return reasoned(
      "unrecorded",
      "build",
      `${released.name} is there, and the release does not record what it was made from: refoundry rebuild --record writes that`,
    );
  }
  return reasoned("never-built", "build", "the store has no image with this build key, and the release records none");
}

function ofRegistry({ recorded, released }: ReleaseFacts, isRecorded: boolean): Reasoned | undefined {
  if (!released) return undefined;
  if (released.index === "absent")
    return reasoned("unreleased", "publish", `it was built, and there is no ${released.name}`);
  // a tag that may not move was told of as a fault before
  if (isRecorded && recorded && released.index !== "not-asked" && released.index !== recorded.index)
    return reasoned(
      "unreleased",
      "publish",
      `${released.name} is still ${released.index}, and the release records ${recorded.index} by now: its tag is to follow`,
    );
  const { missing = [] } = released;
  if (missing.length === 0) return undefined;
  return reasoned("attestation-missing", "publish", `${released.name} lacks its ${missing.join(" and its ")}`);
}

function ofUpstream({ upstream, upstreamTag }: ReleaseFacts): Reasoned | undefined {
  if (!upstreamTag || upstreamTag.digest === "not-asked" || upstreamTag.digest === upstream) return undefined;
  const { name, digest } = upstreamTag;
  return digest === "absent"
    ? reasoned("upstream-gone", "person", upstreamSentence(name, undefined, upstream))
    : reasoned("upstream-moved", "person", upstreamSentence(name, digest, upstream));
}

/** What upstream's tag came to, in a sentence. */
export function upstreamSentence(name: string, now: string | undefined, pinned: string): string {
  return now === undefined
    ? `upstream has no ${name} any more; the release pins ${pinned}`
    : `upstream's ${name} is ${now} now, and the release pins ${pinned}: refoundry pin would pin it anew`;
}

function upToDate({ recorded, released, since }: ReleaseFacts, platform: PlatformFacts): Reasoned {
  const say = (sentence: string): Reasoned => reasoned("up-to-date", "nothing", sentence);
  if (since) return say(`nothing that it is made from changed since ${since.name}`);
  if (recorded && released?.index === recorded.index)
    return say(`${released.name} is what the release records, made from these inputs`);
  if (platform.stored) return say("the store has an image with this build key");
  return say("the release records a build from exactly these inputs");
}
