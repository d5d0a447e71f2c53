import { z } from "zod";
import { infrastructureError, messageOf } from "../errors.ts";
import type { NightlyRun } from "../nightly-run.ts";
import { type Digest, isDigest } from "../oci/digest.ts";

/** A run's id: when it began, in a form that a tag and a folder can have (`2026-11-23T020000Z`). */
export const runIdPattern = /^\d{4}-\d{2}-\d{2}T\d{6}Z$/;

const digest = z.custom<Digest>((value) => typeof value === "string" && isDigest(value), "must be a sha256 digest");
const amount = z.number().nonnegative();

// older runs say `recipe` for what is called `usage` now
const errorClass = z
  .enum(["infra", "fetch", "build", "compare", "nondeterminism", "refresh", "usage", "blocked", "recipe"])
  .transform((name) => (name === "recipe" ? "usage" : name));

const platformSchema = z.looseObject({
  platform: z.string(),
  verdict: z.string(),
  level: z.string(),
  origin: z.enum(["upstream", "rebuilt"]),
  unexplained: amount,
  buildKey: digest,
  manifest: digest.nullable(),
  rebuilt: digest.nullable(),
  cached: z.boolean(),
  seconds: amount,
  explanation: z.string(),
  differences: z.array(
    z.looseObject({
      class: z.string(),
      count: amount,
      weight: z.enum(["benign", "explained", "drift", "unexplained"]),
      detail: z.string(),
      paths: z.array(z.string()),
    }),
  ),
});

const runSchema = z.looseObject({
  schema: z.literal("refoundry/nightly/v1"),
  id: z.string().regex(runIdPattern),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  factory: z.string(),
  releases: z.array(
    z.looseObject({
      recipe: z.string(),
      version: z.string(),
      status: z.enum(["rebuilt", "verified", "kept", "failed"]),
      reason: z.looseObject({ code: z.string(), sentence: z.string() }),
      index: digest.nullable(),
      seconds: amount,
      attempts: amount,
      failure: z.looseObject({ errorClass, message: z.string() }).optional(),
      platforms: z.array(platformSchema),
      omitted: z.array(z.looseObject({ platform: z.string(), reason: z.string() })).optional(),
      report: z.string().optional(),
    }),
  ),
  notices: z.array(z.looseObject({ code: z.string(), recipe: z.string(), sentence: z.string() })),
});

/** Reads a run's document; fields that this version does not know stay. Throws an infrastructure error, naming `where`. */
export function parseRun(bytes: Uint8Array, where: string): NightlyRun {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (cause) {
    throw infrastructureError(`${where} is not JSON: ${messageOf(cause)}`, { cause });
  }
  const checked = runSchema.safeParse(parsed);
  if (checked.success) return checked.data as unknown as NightlyRun;
  const [issue] = checked.error.issues;
  throw infrastructureError(
    `${where} is not a nightly run (refoundry/nightly/v1): ${issue ? `${issue.path.join(".")}: ${issue.message}` : "it has another form"}`,
  );
}
