import { createHash } from "node:crypto";
import { canonicalForm, type ContentClass, type NamedContent, type NormaliseContext } from "../classes/class.ts";

/** A file's content as the classes leave it. */
export interface NormalForm {
  /** sha256 in hex; equal for files that differ in nothing but what the classes are about. */
  readonly digest: string;
  /** Classes that knew the file or a member of it, in the order of the catalogue. */
  readonly applied: readonly string[];
  /** The class that says the file counts as nothing. */
  readonly absentBy?: string;
}

/** How deep archives inside archives are opened. */
const maxDepth = 6;
/** What the members of one file may expand to, all together, in bytes. */
const maxExpandedBytes = 256 * 1024 ** 2;
const canonicalStart = Buffer.from("canonical ");

/** Thrown when members expand beyond the bound; never leaves this module. */
class ExpansionSpent extends Error {}

/**
 * Normalises a file by the classes given, in their order, members of archives too.
 * Nothing when it expands to more than is looked into.
 */
export async function normalForm(
  file: NamedContent,
  classes: readonly ContentClass[],
): Promise<NormalForm | undefined> {
  const applied = new Set<string>();
  let left = maxExpandedBytes;

  async function run(content: NamedContent, depth: number): Promise<Normalised> {
    const context: NormaliseContext = {
      async member(name, bytes) {
        const path = `${content.path}!/${name}`;
        const inner = depth < maxDepth ? await run({ path, bytes }, depth + 1) : { forms: [], bytes };
        return canonicalForm("member", [inner.absentBy ?? "", inner.forms.join(" "), inner.bytes]);
      },
      remaining: () => left,
      spend(bytes) {
        left -= bytes;
        if (left < 0) throw new ExpansionSpent();
      },
    };
    let { bytes } = content;
    for (const found of classes) {
      const current = { path: content.path, bytes };
      if (!found.applies(current)) continue;
      const result = await found.normalise(current, context);
      if (result === undefined) continue;
      applied.add(found.name);
      if (result === "absent") return { forms: [], bytes: Buffer.alloc(0), absentBy: found.name };
      bytes = result;
      // what is no file of its kind any more is for no other class, and a file that is
      // written like the canonical form of another must not pass for it
      if (isCanonical(result)) return { forms: [found.name], bytes };
    }
    return { forms: [], bytes };
  }

  try {
    const { forms, bytes, absentBy } = await run(file, 0);
    const digest = createHash("sha256")
      .update(`${absentBy ?? ""}\n${forms.join(" ")}\n`)
      .update(bytes)
      .digest("hex");
    const names = classes.map(({ name }) => name).filter((name) => applied.has(name));
    return { digest, applied: names, ...(absentBy !== undefined && { absentBy }) };
  } catch (error) {
    if (error instanceof ExpansionSpent) return undefined;
    throw error;
  }
}

interface Normalised {
  /** Classes that gave a canonical form instead of a file of the same kind. */
  readonly forms: readonly string[];
  readonly bytes: Buffer;
  readonly absentBy?: string;
}

function isCanonical(bytes: Buffer): boolean {
  return bytes.subarray(0, canonicalStart.length).equals(canonicalStart);
}

/**
 * The classes, as few as will do, by which two files are the same once normalised.
 * Nothing when they are not.
 */
export async function explainContents(
  path: string,
  left: Buffer,
  right: Buffer,
  classes: readonly ContentClass[],
): Promise<readonly string[] | undefined> {
  const forms = async (enabled: readonly ContentClass[]): Promise<readonly [NormalForm, NormalForm] | undefined> => {
    const a = await normalForm({ path, bytes: left }, enabled);
    const b = a && (await normalForm({ path, bytes: right }, enabled));
    return a && b && a.digest === b.digest ? [a, b] : undefined;
  };
  const all = await forms(classes);
  if (!all) return undefined;
  const names = new Set(all.flatMap(({ applied }) => applied));
  let needed = classes.filter(({ name }) => names.has(name));
  for (const candidate of needed) {
    if (needed.length === 1) break;
    const fewer = needed.filter((other) => other !== candidate);
    if (await forms(fewer)) needed = fewer;
  }
  return needed.map(({ name }) => name);
}
