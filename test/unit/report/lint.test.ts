import { expect, test } from "vitest";
import { type LintProblem, lintRules } from "../../../src/recipe/lint.ts";
import { formatLint } from "../../../src/report/lint/formats.ts";

const problems: readonly LintProblem[] = [
  {
    rule: "schema",
    severity: "error",
    message: 'unknown key "owner", 100% wrong',
    location: { file: "recipes/images/a, b:c/recipe.yaml", line: 2, column: 1 },
    hint: 'did you mean "owners"?\nsecond line',
  },
  {
    rule: "unread-file",
    severity: "warning",
    message: "nothing reads this file",
    location: { file: "vendor-sources/x y" },
  },
  { rule: "licence-offer-source", severity: "note", message: "told", location: { file: "/srv/a b.yaml", line: 3 } },
];

test("as text", () => {
  expect(formatLint("text", problems)).toBe(
    `error: recipes/images/a, b:c/recipe.yaml:2:1: unknown key "owner", 100% wrong [schema]
  did you mean "owners"?
  second line
warning: vendor-sources/x y: nothing reads this file [unread-file]
note: /srv/a b.yaml:3: told [licence-offer-source]
1 error and 1 warning, 1 note
`,
  );
  expect(formatLint("text", [])).toBe("no problems\n");
});

test("as GitHub's workflow commands, escaped as its runner reads them", () => {
  expect(formatLint("github", problems)).toBe(
    `::error file=recipes/images/a%2C b%3Ac/recipe.yaml,line=2,col=1,title=refoundry schema::unknown key "owner", 100%25 wrong%0Adid you mean "owners"?%0Asecond line
::warning file=vendor-sources/x y,title=refoundry unread-file::nothing reads this file
::notice file=/srv/a b.yaml,line=3,title=refoundry licence-offer-source::told
1 error and 1 warning, 1 note
`,
  );
});

test("as JSON", () => {
  const fixed = [
    { file: "a", before: "x ", after: "x\n", changes: [{ rule: "trailing-space", message: "m", line: 1 }] },
  ] as const;
  expect(JSON.parse(formatLint("json", problems, fixed))).toEqual({
    schema: "refoundry/lint/v1",
    errors: 1,
    warnings: 1,
    notes: 1,
    problems,
    fixes: [{ file: "a", changes: fixed[0].changes }],
  });
  expect(JSON.parse(formatLint("json", []))).not.toHaveProperty("fixes");
});

interface Sarif {
  readonly version: string;
  readonly runs: readonly {
    readonly tool: { readonly driver: { readonly name: string; readonly rules: readonly { readonly id: string }[] } };
    readonly results: readonly {
      readonly ruleId: string;
      readonly ruleIndex: number;
      readonly level: string;
      readonly message: { readonly text: string };
      readonly locations: readonly { readonly physicalLocation: unknown }[];
      readonly partialFingerprints: Readonly<Record<string, string>>;
    }[];
  }[];
}

test("as SARIF 2.1.0", () => {
  const log = JSON.parse(formatLint("sarif", problems)) as Sarif;
  const [run] = log.runs;
  expect(log.version).toBe("2.1.0");
  expect(run?.tool.driver.rules.map(({ id }) => id)).toEqual(Object.keys(lintRules));
  for (const result of run?.results ?? []) expect(run?.tool.driver.rules[result.ruleIndex]?.id).toBe(result.ruleId);
  expect(run?.results.map(({ level }) => level)).toEqual(["error", "warning", "note"]);
  expect(run?.results.map(({ locations }) => locations[0]?.physicalLocation)).toEqual([
    {
      artifactLocation: { uri: "recipes/images/a%2C%20b%3Ac/recipe.yaml", uriBaseId: "%SRCROOT%" },
      region: { startLine: 2, startColumn: 1 },
    },
    { artifactLocation: { uri: "vendor-sources/x%20y", uriBaseId: "%SRCROOT%" } },
    { artifactLocation: { uri: "file:///srv/a%20b.yaml" }, region: { startLine: 3 } },
  ]);
});

test("a problem keeps its fingerprint when it moves, and another has another", () => {
  const print = (problem: LintProblem): string =>
    (JSON.parse(formatLint("sarif", [problem])) as Sarif).runs[0]?.results[0]?.partialFingerprints["refoundry/v1"] ??
    "";
  const problem: LintProblem = {
    rule: "pin",
    severity: "error",
    message: "x (a.yaml:12:3)",
    location: { file: "b", line: 1 },
  };
  expect(print({ ...problem, message: "x (a.yaml:14:3)", location: { file: "b", line: 9 } })).toBe(print(problem));
  expect(print({ ...problem, location: { file: "c", line: 1 } })).not.toBe(print(problem));
});
