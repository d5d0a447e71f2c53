import { existsSync } from "node:fs";
import { join } from "node:path";
import { verifyImage } from "../attest/verify-image.ts";
import { usageError } from "../errors.ts";
import { runStage } from "../events.ts";
import { copyTree, mountSource } from "../mirror/copy-tree.ts";
import type { CopyResult } from "../mirror/copy-types.ts";
import { openLayoutRepository } from "../oci/layout-repository.ts";
import { openReferenceRepository } from "../oci/open-reference.ts";
import { parseReference, type Reference } from "../oci/reference.ts";
import type { Repository } from "../oci/repository.ts";
import { childrenOf, planPromotion, type PromotedContent, type PromotionPlan } from "../promote/plan-promotion.ts";
import type { Factory } from "../rebuild/types.ts";
import { renderPromotion } from "../report/promotion.ts";
import { type CliContext, type CommandResult, type CommonFlags, runCommand } from "./context.ts";
import { withFactory } from "./factory.ts";
import { readTrust, type TrustFlags } from "./trust.ts";

/** Flags of `refoundry promote`. */
export interface PromoteFlags extends CommonFlags, TrustFlags {
  readonly require?: string;
  readonly builders?: number;
  readonly tag?: string;
  readonly moveTag?: boolean;
  readonly singleImage?: boolean;
  /** Do it; without, only the plan is shown. */
  readonly confirm?: boolean;
}

/** `refoundry promote SOURCE DESTINATION` */
export function promote(this: CliContext, flags: PromoteFlags, source: string, destination: string): Promise<void> {
  return runCommand(this, flags, () =>
    withFactory(this, (factory) => promoteOne(this, flags, source, destination, factory)),
  );
}

async function promoteOne(
  context: CliContext,
  flags: PromoteFlags,
  source: string,
  destination: string,
  factory: Factory,
): Promise<CommandResult> {
  const { cwd, signal } = context;
  const from = parseReference(source);
  const to = parseReference(destination);
  const tag = destinationTag(from, to, flags.tag);
  const { cache } = factory.settings;
  const trusted = await readTrust(flags, { cwd, env: context.process.env, cache });
  const { repository, descriptor } = await openReferenceRepository(from, factory.registry, signal);
  const bytes = await repository.readDocument(descriptor, signal);
  const next = { descriptor, children: childrenOf(descriptor, bytes) };
  const target = await openTarget(to, factory);
  const current = target && (await readCurrent(target, tag, signal));
  const verification = await runStage(factory.emit, { stage: "attest", title: `verify ${source}` }, async () => {
    const value = await verifyImage(source, repository, descriptor, trusted, {
      require: flags.require ?? "equivalent",
      signal,
    });
    return { value, detail: value.verified ? "verified" : "not verified" };
  });
  const names = { source, destination: `${destinationName(to)}:${tag}` };
  const policy = {
    builders: flags.builders ?? 1,
    moveTag: flags.moveTag ?? false,
    singleImage: flags.singleImage ?? false,
  };
  const plan = planPromotion(names, next, current, verification, policy);
  if (plan.refusals.length > 0 || flags.confirm !== true) return resultOf(plan, undefined);
  const writable = target ?? (await makeTarget(to));
  const copied = await runStage(
    factory.emit,
    { stage: "publish", title: `promote to ${plan.destination}` },
    async () => {
      const value = await copyTree(repository, descriptor, writable, {
        tag,
        document: bytes,
        ...mountSource(from, to),
        signal,
      });
      const reused = value.bytesCopied === 0;
      return {
        value,
        detail: reused ? "was there already" : `${(value.bytesCopied / 1e6).toFixed(1)} MB copied`,
        reused,
      };
    },
  );
  return resultOf(plan, copied);
}

function resultOf(plan: PromotionPlan, copied: CopyResult | undefined): CommandResult {
  return {
    text: renderPromotion(plan, copied),
    document: { ...plan, done: copied !== undefined, ...(copied && { copied }) },
    exitCode: plan.refusals.length > 0 ? 1 : 0,
  };
}

/** The tag that is promoted: `--tag`, the destination's own, or the source's. */
function destinationTag(from: Reference, to: Reference, tag: string | undefined): string {
  if (to.kind !== "registry" && to.kind !== "oci")
    throw usageError("promote writes to a registry (HOST/NAME) or an OCI layout (oci:PATH)");
  if (to.digest !== undefined) throw usageError("a destination has no digest: it gets the source's");
  const own = from.kind === "registry" || from.kind === "oci" ? from.tag : undefined;
  const chosen = tag ?? to.tag ?? own;
  if (chosen !== undefined) return chosen;
  throw usageError("which tag the promoted release gets is not said", {
    hint: "--tag VERSION, or name it after a colon",
  });
}

/** The destination as it is; undefined for a layout that is not there yet: a plan makes none. */
async function openTarget(to: Reference, factory: Factory): Promise<Repository | undefined> {
  if (to.kind === "registry") return factory.registry.repository(to);
  return to.kind === "oci" && existsSync(join(to.path, "oci-layout")) ? openLayoutRepository(to.path) : undefined;
}

async function makeTarget(to: Reference): Promise<Repository> {
  if (to.kind !== "oci") throw new Error(`${to.kind} is no destination`);
  return openLayoutRepository(to.path);
}

function destinationName(to: Reference): string {
  if (to.kind === "registry") return `${to.host}/${to.repository}`;
  return to.kind === "oci" ? `oci:${to.path}` : to.kind;
}

async function readCurrent(to: Repository, tag: string, signal: AbortSignal): Promise<PromotedContent | undefined> {
  if (!(await to.find(tag, signal))) return undefined;
  const { descriptor, bytes } = await to.resolve(tag, signal);
  return { descriptor, children: childrenOf(descriptor, bytes) };
}
