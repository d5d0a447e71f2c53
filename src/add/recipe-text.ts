import { Document, isMap, isSeq, Scalar, visit } from "yaml";
import type { PlatformName } from "../oci/platform.ts";

/** What a new recipe says. */
export interface RecipeContent {
  readonly name: string;
  readonly owners: readonly string[];
  readonly source: string;
  readonly toolchain: string;
  readonly upstream: string;
  readonly reproduce: readonly PlatformName[];
  readonly extend: readonly PlatformName[];
  readonly smoke: readonly (readonly string[])[];
}

/** The text of `recipe.yaml`, with its keys in the order of the schema. */
export function recipeText(content: RecipeContent): string {
  return yamlText({
    image: content.name,
    owners: content.owners,
    source: content.source,
    toolchain: content.toolchain,
    upstream: { image: content.upstream },
    build: { dockerfile: "Dockerfile", network: "none" },
    platforms: {
      reproduce: content.reproduce.toSorted(),
      ...(content.extend.length > 0 && { extend: content.extend.toSorted() }),
    },
    smoke: content.smoke.map((run) => ({ run })),
  });
}

/** The text of `vendor-sources/NAME.yaml`. */
export function sourceText(content: {
  readonly name: string;
  readonly licence: string;
  readonly upstream: string;
}): string {
  return yamlText({
    source: content.name,
    licence: content.licence,
    upstream: content.upstream,
    forks: [],
    import: { kind: "git" },
  });
}

function yamlText(value: unknown): string {
  const document = new Document(value, { version: "1.2", schema: "core", aliasDuplicateObjects: false });
  visit(document, {
    Seq(_, list) {
      if (list.items.every((item) => !isMap(item) && !isSeq(item))) list.flow = true;
    },
    Scalar(_, scalar) {
      // an image's words must not turn into numbers, and unseen characters are to be seen
      if (typeof scalar.value === "string" && /[^\x20-\x7e]/.test(scalar.value)) scalar.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return document.toString({ lineWidth: 0, minContentWidth: 0, flowCollectionPadding: false });
}
