import { attachArtifact } from "../attest/attach.ts";
import { attest, ownAttestations } from "../attest/attest.ts";
import { readAttestations } from "../attest/read-attestations.ts";
import { digestSet, predicateTypes, type Statement, statementOf } from "../attest/statement.ts";
import { mismatch } from "../errors.ts";
import { copyImage } from "../oci/copy-image.ts";
import { type Digest, hexOf, isDigest } from "../oci/digest.ts";
import { readManifest } from "../oci/manifest.ts";
import { type PlatformName, parsePlatform } from "../oci/platform.ts";
import type { Repository } from "../oci/repository.ts";
import type { Descriptor } from "../oci/types.ts";
import type { BuildRecord } from "./build-platform.ts";
import type { Factory } from "./types.ts";

/** What is said of a staged build: that it is what a build key gives. */
interface StagedBuild {
  readonly buildKey: Digest;
  readonly platform: PlatformName;
  readonly varied: boolean;
  readonly seconds: number;
  readonly log: { readonly digest: Digest; readonly size: number };
}

/** The tag of a staged build: its build key. */
function stagingTag(buildKey: Digest): string {
  return `build-${hexOf(buildKey)}`;
}

/**
 * Takes over a build that this machine or another staged under a build key: only one that
 * a trusted signer says is what the key gives. Its image and log are then in the store.
 */
export async function takeStagedBuild(
  buildKey: Digest,
  platform: PlatformName,
  factory: Factory,
): Promise<BuildRecord | undefined> {
  const { signal, store } = factory;
  const staging = await factory.staging();
  const descriptor = await staging?.find(stagingTag(buildKey), signal);
  if (!staging || !descriptor) return undefined;
  const trusted = await factory.trustedBuilders();
  const found: { readonly build: StagedBuild; readonly signer: string }[] = [];
  for (const attestation of await readAttestations(staging, descriptor.digest, trusted, signal)) {
    if (!attestation.trusted || attestation.statement.predicateType !== predicateTypes.build) continue;
    const build = parseStagedBuild(attestation.statement);
    if (build?.buildKey === buildKey && build.platform === platform) found.push({ build, signer: attestation.signer });
  }
  // the one that says most: varied before not
  const [chosen] = found.toSorted((a, b) => Number(b.build.varied) - Number(a.build.varied));
  if (!chosen) return undefined;
  const log: Descriptor = { mediaType: "text/plain", ...chosen.build.log };
  if (!(await staging.hasBlob(log, signal))) return undefined;
  const manifest = await copyImage(staging, descriptor, store.blobs, { platform, signal });
  await store.blobs.writeStream(staging.openBlob(log, signal), log);
  const own = (await factory.signer()).name;
  const record: BuildRecord = {
    manifest: { ...manifest, platform: parsePlatform(platform) },
    log,
    seconds: chosen.build.seconds,
    varied: chosen.build.varied,
    ...(chosen.signer !== own && { takenOver: chosen.signer }),
  };
  await store.writeRecord("builds", buildKey, record);
  return record;
}

/**
 * Keeps a build in the staging repository under its build key, with its log and a signed
 * word of what it is. Throws a mismatch error where another machine staged other bytes
 * under the same key: the build is not deterministic.
 */
export async function stageBuild(
  buildKey: Digest,
  platform: PlatformName,
  record: BuildRecord,
  factory: Factory,
): Promise<void> {
  const { signal, store } = factory;
  const staging = await factory.staging();
  if (!staging) return;
  const tag = stagingTag(buildKey);
  const there = await staging.find(tag, signal);
  if (there && there.digest !== record.manifest.digest)
    throw mismatch(
      `the build for ${platform} is not deterministic: ${staging.name} has ${there.digest} under its build key, and it gave ${record.manifest.digest}`,
      { hint: `refoundry compare ${staging.name}@${there.digest} oci:${store.path}@${record.manifest.digest}` },
    );
  await pushImage(record.manifest, staging, factory);
  const logBytes = await store.blobs.readDocument(record.log, signal);
  const referrers = await staging.listReferrers(record.manifest.digest, { signal });
  const log = await attachArtifact(
    staging,
    record.manifest,
    referrers,
    { artifactType: "text/plain", title: "build.log", bytes: logBytes, claim: buildKey },
    signal,
  );
  const { digest, size } = log.content;
  const build: StagedBuild = {
    buildKey,
    platform,
    varied: record.varied,
    seconds: record.seconds,
    log: { digest, size },
  };
  const subject = [{ name: tag, digest: digestSet(record.manifest.digest) }];
  const signer = await factory.signer();
  const own = await ownAttestations(staging, record.manifest, signer, signal);
  await attest(staging, record.manifest, [statementOf(predicateTypes.build, subject, build)], own, signer, signal);
  if (there) return;
  const bytes = await store.blobs.readDocument(record.manifest, signal);
  // the tag says that it is built: it comes when everything else is there
  await staging.pushManifest(bytes, record.manifest.mediaType, tag, signal);
}

async function pushImage(manifest: Descriptor, to: Repository, { store, signal }: Factory): Promise<void> {
  const { config, layers } = await readManifest(store.blobs, manifest, signal);
  for (const blob of [config, ...layers])
    await to.pushBlob(blob, () => store.blobs.openBlob(blob, signal), { isChecked: true, signal });
  const bytes = await store.blobs.readDocument(manifest, signal);
  await to.pushManifest(bytes, manifest.mediaType, manifest.digest, signal);
}

function parseStagedBuild({ predicate }: Statement): StagedBuild | undefined {
  const { buildKey, platform, varied, seconds, log } = (predicate ?? {}) as Partial<StagedBuild>;
  const isValid =
    typeof buildKey === "string" &&
    isDigest(buildKey) &&
    typeof platform === "string" &&
    typeof varied === "boolean" &&
    typeof seconds === "number" &&
    typeof log?.digest === "string" &&
    isDigest(log.digest) &&
    Number.isSafeInteger(log.size);
  return isValid ? { buildKey, platform, varied, seconds, log } : undefined;
}
