import { createHash } from "node:crypto";
import { isAbsolute } from "node:path";
import { pathToFileURL } from "node:url";
import { type LintProblem, lintRules, type RuleId } from "../../recipe/lint.ts";
import { version } from "../../version.ts";

/** Problems as SARIF 2.1.0 (OASIS), which code scanning reads; every rule is described, found or not. */
export function lintSarif(problems: readonly LintProblem[]): string {
  const ids = Object.keys(lintRules) as RuleId[];
  const rules = ids.map((id) => {
    const { title, help, severity, fixable } = lintRules[id];
    return {
      id,
      shortDescription: { text: `${title}.` },
      fullDescription: { text: `${title}. ${help}` },
      help: { text: help },
      defaultConfiguration: { level: severity },
      properties: { tags: ["refoundry", ...(fixable ? ["fixable"] : [])] },
    };
  });
  const log = {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "refoundry", semanticVersion: version, rules } },
        columnKind: "utf16CodeUnits",
        results: problems.map((problem) => resultOf(problem, ids)),
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

function resultOf({ rule, severity, message, hint, location }: LintProblem, ids: readonly RuleId[]): unknown {
  const { file, line, column } = location;
  const region =
    line === undefined ? undefined : { startLine: line, ...(column !== undefined && { startColumn: column }) };
  return {
    ruleId: rule,
    ruleIndex: ids.indexOf(rule),
    level: severity,
    message: { text: hint === undefined ? message : `${message}\n${hint}` },
    locations: [{ physicalLocation: { artifactLocation: artifactOf(file), ...(region && { region }) } }],
    // the same problem stays the same when lines above it come and go
    partialFingerprints: { "refoundry/v1": fingerprint(rule, file, message) },
  };
}

/** A relative reference from the folder of the run (SARIF 3.4), or a file's address. */
function artifactOf(file: string): unknown {
  if (isAbsolute(file)) return { uri: pathToFileURL(file).href };
  const uri = file.replaceAll("\\", "/").split("/").map(encodeURIComponent).join("/");
  return { uri, uriBaseId: "%SRCROOT%" };
}

function fingerprint(rule: RuleId, file: string, message: string): string {
  // places in other files that a message names move as lines do
  const still = message.replaceAll(/:\d+(:\d+)?/g, "");
  return createHash("sha256")
    .update(JSON.stringify([rule, file, still]))
    .digest("hex");
}
