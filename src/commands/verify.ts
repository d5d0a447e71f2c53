import { join } from "node:path";
import { type ImageVerification, verifyImage } from "../attest/verify-image.ts";
import { usageError } from "../errors.ts";
import { isIndex } from "../oci/copy-image.ts";
import { openReferenceRepository } from "../oci/open-reference.ts";
import { parseReference } from "../oci/reference.ts";
import { rebuildRelease } from "../rebuild/rebuild-release.ts";
import type { Factory } from "../rebuild/types.ts";
import { renderVerification } from "../report/verification.ts";
import { type CliContext, type CommandResult, type CommonFlags, runCommand } from "./context.ts";
import { withFactory } from "./factory.ts";
import { loadInputs } from "./rebuild-one.ts";
import { readTrust, type TrustFlags } from "./trust.ts";

/** Flags of `refoundry verify`. */
export interface VerifyFlags extends CommonFlags, TrustFlags {
  /** Weakest verdict that is accepted. */
  readonly require?: string;
  /** Do it all again here, and compare digests. */
  readonly rebuild?: boolean;
}

/** `refoundry verify IMAGE` */
export function verify(this: CliContext, flags: VerifyFlags, image: string): Promise<void> {
  return runCommand(this, flags, () => withFactory(this, (factory) => verifyOne(this, flags, image, factory)));
}

async function verifyOne(
  context: CliContext,
  flags: VerifyFlags,
  image: string,
  factory: Factory,
): Promise<CommandResult> {
  const { cwd, signal } = context;
  const { cache } = factory.settings;
  const trusted = await readTrust(flags, { cwd, env: context.process.env, cache });
  const { repository, descriptor } = await openReferenceRepository(parseReference(image), factory.registry, signal);
  const options = { require: flags.require ?? "drift", signal };
  const verification = await verifyImage(image, repository, descriptor, trusted, options);
  const rebuilt = flags.rebuild ? await rebuildAgain(context, releaseOf(verification), factory) : undefined;
  const agrees = rebuilt === undefined || rebuilt.digests.includes(verification.digest);
  if (rebuilt && !isIndex(descriptor) && !agrees)
    factory.emit({ type: "notice", severity: "info", message: "a single image was named, not the release's index" });
  const document = { ...verification, ...(rebuilt && { rebuild: { ...rebuilt, agrees } }) };
  return {
    text: renderVerification(verification, rebuilt && { ...rebuilt, agrees }),
    document,
    exitCode: verification.verified && agrees ? 0 : 1,
  };
}

/** The release that the provenance names: `RECIPE@VERSION`, of the checkout that we are in. */
function releaseOf({ image, subjects }: ImageVerification): string {
  const provenance = subjects.find((subject) => subject.provenance)?.provenance;
  const recipe = /(?:^|[ /])recipes\/images\/([^/]+)\/recipe\.yaml$/.exec(provenance?.recipe ?? "")?.[1];
  if (recipe !== undefined && provenance) return `${recipe}@${provenance.release}`;
  throw usageError(`no trusted provenance says from which recipe ${image} was built, so it cannot be built again`);
}

/** What a rebuild here gives: the digests of its index and of the manifests that this names. */
async function rebuildAgain(
  context: CliContext,
  argument: string,
  factory: Factory,
): Promise<{ readonly release: string; readonly digests: readonly ImageVerification["digest"][] }> {
  const inputs = await loadInputs(context, argument);
  const path = join(await factory.store.temporaryFolder("verify"), "oci");
  const now = new Date().toISOString();
  const outcome = await rebuildRelease(
    {
      inputs,
      force: true,
      build: "where due",
      destination: { kind: "layout", path, name: `oci:${path}` },
      report: "",
      startedAt: now,
      today: now.slice(0, 10),
    },
    factory,
  );
  if (!outcome.index)
    throw usageError(
      `the rebuild of ${argument} gave no release: ${outcome.platforms.map(({ platform, verdict }) => `${platform} ${verdict}`).join(", ")}`,
    );
  const manifests = outcome.platforms.flatMap(({ manifest }) => manifest ?? []);
  return { release: `${outcome.recipe}@${outcome.version}`, digests: [outcome.index.digest, ...manifests] };
}
