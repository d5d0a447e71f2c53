import { usageError } from "../errors.ts";
import { versionSchema } from "../recipe/schema.ts";
import { quoted } from "../recipe/words.ts";
import { labelOf } from "./image-config.ts";
import type { ImageFacts } from "./types.ts";

/** The version a release gets; it is the tag of upstream's image too. */
export interface ChosenVersion {
  readonly version: string;
  /** What is doubtful about it, as a sentence. */
  readonly doubt?: string;
}

/**
 * The version that an image is of: the one that was asked for, its tag where that is one,
 * or what its label says. Throws a usage error where nothing says it.
 */
export function chooseVersion(image: ImageFacts, asked: string | undefined): ChosenVersion {
  if (asked !== undefined) {
    if (versionSchema.safeParse(asked).success) return { version: asked };
    throw usageError(`--version ${quoted(asked)} is not a version`, {
      hint: "it is letters, digits and . + ~ : _ - as in 0.19.0",
    });
  }
  const tag = tagOf(image);
  const label = labelOf(image.config, "version");
  const usable = label !== undefined && versionSchema.safeParse(label).success ? label : undefined;
  if (tag !== undefined && /^v?\d+\.\d/.test(tag)) {
    const differs = usable !== undefined && usable.replace(/^v/, "") !== tag.replace(/^v/, "");
    return differs
      ? {
          version: tag,
          doubt: `the image's tag says ${tag}, and its label org.opencontainers.image.version ${quoted(usable)}`,
        }
      : { version: tag };
  }
  if (usable !== undefined && /\d/.test(usable))
    return {
      version: usable,
      doubt: `the version ${quoted(usable)} is what the image's label says; its tag names none`,
    };
  if (tag !== undefined && /^v?\d+$/.test(tag))
    return { version: tag, doubt: `the tag ${tag} may follow the newest version: --version names one that stays` };
  throw usageError("which version this is cannot be told: neither the image's tag nor its labels name one", {
    hint: "name the image by the tag of a version, or give --version",
  });
}

function tagOf({ reference }: ImageFacts): string | undefined {
  if (reference.kind !== "docker-archive") return reference.tag;
  return /:([^/:]+)$/.exec(reference.image ?? "")?.[1];
}
