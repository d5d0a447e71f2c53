import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { GzipEncoder } from "../compare/encoder/types.ts";
import type { Evidence } from "../compare/evidence/types.ts";
import { type Comparison, type Level, levels } from "../compare/types.ts";
import type { Waiver } from "../compare/waivers.ts";
import { usageError } from "../errors.ts";
import { compare as compareByName, type CompareOptions } from "../index.ts";
import { summariseComparison } from "../report/comparison/terminal.ts";
import { type CliContext, type CommonFlags, runCommand } from "./context.ts";

/** Flags of `refoundry compare`. */
export interface CompareFlags extends CommonFlags {
  readonly require?: string;
  /** A recipe, or one at a version, whose waivers hold. */
  readonly recipe?: string;
  /** Where the page is written. */
  readonly html?: string;
  /** Where the Markdown is written. */
  readonly markdown?: string;
  /** Whether it is found who compressed layers of which only the compression differs. */
  readonly encoders?: boolean;
}

/** `refoundry compare A B` */
export function compare(this: CliContext, flags: CompareFlags, left: string, right: string): Promise<void> {
  return runCommand(this, flags, async () => {
    const required = requiredLevel(flags.require ?? "explained");
    const waivers = flags.recipe === undefined ? [] : await waiversOf(flags.recipe, this.cwd);
    let evidence: Evidence = { platforms: [] };
    const wantsEvidence = flags.html !== undefined || flags.markdown !== undefined;
    const options: CompareOptions = {
      env: this.process.env,
      signal: this.signal,
      waivers,
      today: new Date().toISOString().slice(0, 10),
      ...(wantsEvidence && { onEvidence: (seen: Evidence) => void (evidence = seen) }),
    };
    const comparison =
      flags.encoders === true
        ? await withEncoders(this, (encoders) => compareByName(left, right, { ...options, encoders }))
        : await compareByName(left, right, options);
    await writePages(comparison, evidence, flags, this.cwd);
    return {
      text: summariseComparison(comparison).join("\n"),
      document: comparison,
      exitCode: reaches(comparison, required) ? 0 : 1,
    };
  });
}

// what is seldom needed is loaded when it is: most of a small comparison's time is start-up

/** `argument` is RECIPE, or RECIPE@VERSION for what holds for that version. */
async function waiversOf(argument: string, cwd: string): Promise<readonly Waiver[]> {
  const { findRoot, loadRecipe, loadRecipeForVersion, parseRecipeArgument } = await import("../recipe/load.ts");
  const { recipe, version } = parseRecipeArgument(argument);
  const root = await findRoot(cwd);
  return (await (version === undefined ? loadRecipe(root, recipe) : loadRecipeForVersion(root, recipe, version)))
    .waivers;
}

/** Every encoder that there is; those of Go are built by the factory when the store lacks them. */
async function withEncoders<T>(context: CliContext, use: (encoders: readonly GzipEncoder[]) => Promise<T>): Promise<T> {
  const { withFactory } = await import("./factory.ts");
  const { ensureGoEncoders } = await import("../encoders/go.ts");
  const { findProgramEncoders } = await import("../encoders/programs.ts");
  const { zlibEncoders } = await import("../compare/encoder/zlib-encoders.ts");
  return withFactory(context, async (factory) => {
    const goEncoders = await ensureGoEncoders(factory);
    return use([...zlibEncoders, ...goEncoders, ...(await findProgramEncoders(context.signal))]);
  });
}

async function writePages(comparison: Comparison, evidence: Evidence, flags: CompareFlags, cwd: string): Promise<void> {
  if (flags.html !== undefined) {
    const { renderComparisonPage } = await import("../report/comparison/html/page.ts");
    await writeFile(resolve(cwd, flags.html), renderComparisonPage(comparison, evidence));
  }
  if (flags.markdown !== undefined) {
    const { renderComparisonMarkdown } = await import("../report/comparison/markdown.ts");
    await writeFile(resolve(cwd, flags.markdown), renderComparisonMarkdown(comparison, evidence));
  }
}

function requiredLevel(text: string): Level {
  const level = levels.find((known) => known === text);
  if (level === undefined || level === "different")
    throw usageError(`--require takes a level, and got ${text}`, {
      hint: `levels are ${levels.filter((known) => known !== "different").join(", ")}`,
    });
  return level;
}

function reaches({ level }: Comparison, required: Level): boolean {
  return levels.indexOf(level) <= levels.indexOf(required);
}
