import { describe, expect, test } from "vitest";
import { digestOf } from "../../../src/oci/digest.ts";
import type { Plan, PlanJob } from "../../../src/plan/types.ts";
import { renderPlanMarkdown } from "../../../src/report/plan-markdown.ts";
import { renderPlanMatrix } from "../../../src/report/plan-matrix.ts";
import { renderPlan } from "../../../src/report/plan-table.ts";

const quiet: PlanJob = {
  recipe: "tini",
  version: "1.0",
  platform: "linux/amd64",
  due: false,
  needs: "nothing",
  buildKey: digestOf("key"),
  reason: { code: "up-to-date", sentence: "it is there" },
  changes: [],
  estimatedSeconds: 0,
  dependsOn: [],
};
const due: PlanJob = {
  ...quiet,
  platform: "linux/arm64",
  due: true,
  needs: "build",
  reason: { code: "source-changed", sentence: "the source changed" },
  estimatedSeconds: 90,
};
const fault: PlanJob = {
  ...quiet,
  version: "0.9",
  needs: "person",
  reason: { code: "tag-moved", sentence: "it is another" },
};

function planWith(jobs: readonly PlanJob[], notices: Plan["notices"] = []): Plan {
  const open = jobs.filter((job) => job.due);
  return {
    schema: "refoundry/plan/v1",
    jobs,
    notices,
    totals: {
      jobs: jobs.length,
      due: open.length,
      dueReleases: new Set(open.map(({ recipe, version }) => `${recipe}@${version}`)).size,
      estimatedSeconds: open.reduce((sum, job) => sum + (job.estimatedSeconds ?? 0), 0),
      unestimated: open.filter((job) => job.estimatedSeconds === null).length,
      faults: jobs.filter((job) => job.reason.code === "tag-moved").length,
    },
  };
}

describe("the table", () => {
  test("has what is due first, then what a person looks at, then the rest, and what it will take", () => {
    const made = planWith([quiet, fault, due, { ...due, platform: "linux/386", estimatedSeconds: null }]);
    const lines = renderPlan(made.jobs, made).split("\n");
    expect(lines.slice(0, 4).map((line) => line.slice(0, 4))).toEqual(["due ", "due ", "  ! ", "  - "]);
    expect(lines[0]).toBe("due  tini@1.0  linux/arm64  source-changed  the source changed");
    expect(lines).toContain(
      "2 of 4 builds are due, about 1 min 30 s of building by earlier times, and 1 never built before",
    );
    expect(lines).toContain("1 stand for a fault that a person has to look at");
  });

  test("counts what is not due where that is much, and never what is due or a fault", () => {
    const many = Array.from({ length: 100 }, (_, index) => ({ ...quiet, version: `1.${index}` }));
    const made = planWith([...many, due, fault]);
    const text = renderPlan(made.jobs, made);
    expect(text).toContain("  -  100 builds are not due: 100 up-to-date");
    expect(text.split("\n")).toHaveLength(6);
    const open = planWith(many.map((job) => ({ ...job, due: true, needs: "build" as const })));
    expect(
      renderPlan(open.jobs, open)
        .split("\n")
        .filter((line) => line.startsWith("due ")),
    ).toHaveLength(100);
  });

  test("shows notes, and nothing that a terminal would obey", () => {
    const sentence = "upstream\u001b[31m's tag\nmoved";
    const made = planWith([quiet], [{ code: "upstream-moved", recipe: "tini", version: "1.0", sentence }]);
    expect(renderPlan(made.jobs, made)).toContain("note: tini@1.0: upstream's tag moved");
    expect(renderPlan([])).toBe("there are no releases to plan for");
  });
});

describe("the comment for a pull request", () => {
  test("puts platforms of one reason into one row", () => {
    const text = renderPlanMarkdown(planWith([quiet, due, { ...due, platform: "linux/386" }, fault]));
    expect(text).toContain("**2 of 4 builds are due**, of 1 release, about 3 min 0 s of building by earlier times.");
    expect(text).toContain(
      "| <code>tini&#64;1.0</code> | linux/arm64<br>linux/386 | <code>source-changed</code> | the source changed |",
    );
    expect(text).toContain("| to look at | platforms | reason | |");
    expect(text).toContain("1 build is as recorded or built.");
  });

  test("says it when nothing is due", () => {
    expect(renderPlanMarkdown(planWith([quiet]))).toBe("### Build plan\n\n**No build is due** of 1.\n");
  });

  test("leaves names from recipes without any effect", () => {
    const sentence = "a | b <img src=x> [x](http://x) @someone `code` *bold*\nnext";
    const text = renderPlanMarkdown(planWith([{ ...due, reason: { code: "args-changed", sentence } }]));
    const row = text.split("\n").find((line) => line.includes("args-changed")) ?? "";
    expect(row.match(/\|/g)).toHaveLength(5);
    expect(row).not.toMatch(/<img|\[x\]|@someone|`|\*/);
  });

  test("stays within what a comment holds", () => {
    const sentence = "x".repeat(300);
    const jobs = Array.from({ length: 5000 }, (_, index) => ({
      ...due,
      version: `1.${index}`,
      reason: { code: "args-changed" as const, sentence },
    }));
    const text = renderPlanMarkdown(planWith(jobs));
    expect(text.length).toBeLessThan(65_536);
    expect(text).toContain("and 4900 more");
  });
});

describe("the matrix", () => {
  test("is one line, with an entry for each build that is due", () => {
    const text = renderPlanMatrix(planWith([quiet, due, fault]));
    expect(text).not.toContain("\n");
    expect(JSON.parse(text)).toEqual({
      include: [
        {
          recipe: "tini",
          version: "1.0",
          platform: "linux/arm64",
          release: "tini@1.0",
          needs: "build",
          reason: "source-changed",
          buildKey: due.buildKey,
          estimatedSeconds: 90,
        },
      ],
    });
  });

  test("is empty when nothing is due", () => {
    expect(renderPlanMatrix(planWith([quiet]))).toBe('{"include":[]}');
  });
});
