// Writes schemas/*.schema.json from the schemas in the code, for editors and for programs
// that write recipes. A test holds the files against the code.
import { mkdir, writeFile } from "node:fs/promises";
import { mirrorFileSchema } from "../src/mirror/mirror-file.ts";
import { type ExportedSchema, jsonSchemaOf, jsonSchemaText, recipeFileSchemas } from "../src/recipe/json-schema.ts";

const mirror: ExportedSchema = {
  schema: mirrorFileSchema,
  title: "refoundry mirror file: recipes/mirror.yaml",
  descriptions: {
    requestsPerHour: "How many manifests an hour may be read from a registry.",
    mirrors: "Images that are depended on and not rebuilt yet.",
    "mirrors.[].image": "An image in a registry, without a tag.",
    "mirrors.[].tags": "Tags to copy by name.",
    "mirrors.[].match": "Tags to copy by range or pattern.",
    "mirrors.[].platforms": "Platforms to copy, or all.",
    "mirrors.[].to": "The repository's name below the destination.",
    "mirrors.[].referrers": "Whether signatures and attestations are copied too.",
  },
};

/** Every file of schemas/, by its name, with its text. */
export function schemaFiles(): ReadonlyMap<string, string> {
  const all = Object.entries({ ...recipeFileSchemas, mirror });
  return new Map(all.map(([name, each]) => [`${name}.schema.json`, jsonSchemaText(jsonSchemaOf(name, each))]));
}

if (import.meta.main) {
  const folder = new URL("../schemas/", import.meta.url);
  await mkdir(folder, { recursive: true });
  for (const [name, text] of schemaFiles()) await writeFile(new URL(name, folder), text);
}
