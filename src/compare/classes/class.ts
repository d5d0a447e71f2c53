/** What the catalogue says of a class of differences, for people and for attestations. */
export interface ClassDescription {
  /** As in a comparison's `differences[].class`: kebab case. */
  readonly name: string;
  /** Grows whenever the normaliser may give other bytes, so that a report says which one ran. */
  readonly version: number;
  /** What it is that differs. */
  readonly meaning: string;
  /** How both sides are normalised. */
  readonly normalises: string;
  /** Why nothing that runs, or that anybody relies on, is lost by it. */
  readonly safety: string;
}

/** A file, or a member of an archive inside a file, whole in memory. */
export interface NamedContent {
  /**
   * Where the image has it, without a slash before it; members of archives stand behind
   * `!/`: `usr/lib/app.jar!/META-INF/MANIFEST.MF`.
   */
  readonly path: string;
  /** The normaliser's own copy is not needed: nobody changes these bytes in place. */
  readonly bytes: Buffer;
}

/** What a normaliser is given besides the file. */
export interface NormaliseContext {
  /**
   * The canonical form of a member of an archive, by all the classes that are switched on.
   * `name` is the member's name inside the archive. What it gives is opaque: compare it, never parse it.
   */
  member(name: string, bytes: Buffer): Promise<Buffer>;
  /** How many bytes members may still expand to; an archive inside archives shares it. */
  remaining(): number;
  /** Takes from what members may expand to. Throws when that is spent: the file is then not explained. */
  spend(bytes: number): void;
}

/**
 * A class of differences in the content of files. A difference is explained by it only
 * when both sides, normalised, are the same bytes.
 */
export interface ContentClass extends ClassDescription {
  /** Whether the class knows files of this path and these bytes; cheap, and never throws. */
  applies(file: NamedContent): boolean;
  /**
   * The file's canonical form: the same bytes for all files that differ in this way
   * alone, different bytes for files that differ in anything else. `absent` when a
   * file of this kind counts as nothing at all (an empty cache). Nothing when the bytes
   * are not in the form the class understands: then it explains nothing. Throws nothing but
   * what `context` throws; hostile input gives nothing.
   */
  normalise(
    file: NamedContent,
    context: NormaliseContext,
  ): Buffer | "absent" | undefined | Promise<Buffer | "absent" | undefined>;
  /** Told beside the difference, when the file is there: a private key in an image, say. */
  readonly warning?: string;
}

/**
 * One byte string for a list of byte strings, different for every different list: each
 * part stands behind its length. `kind` names the form.
 */
export function canonicalForm(kind: string, parts: readonly (Buffer | string)[]): Buffer {
  const pieces: Buffer[] = [Buffer.from(`canonical ${kind}\n`)];
  for (const part of parts) {
    const bytes = typeof part === "string" ? Buffer.from(part) : part;
    pieces.push(Buffer.from(`${bytes.length}:`), bytes, Buffer.from("\n"));
  }
  return Buffer.concat(pieces);
}
