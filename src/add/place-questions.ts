import { parseYaml } from "../recipe/yaml-tree.ts";
import type { PlacedQuestion, Question } from "./types.ts";

/** Finds the line that answers each question, in the files as they will be. */
export function placeQuestions(
  questions: readonly Question[],
  files: ReadonlyMap<string, string>,
): readonly PlacedQuestion[] {
  return questions.map(({ at, ...question }) => {
    const text = files.get(question.file);
    if (text === undefined) return question;
    const line =
      typeof at === "string" ? lineOf(text, at) : (parseYaml(text, question.file).tree?.locate(at ?? []).line ?? 1);
    return { ...question, line };
  });
}

function lineOf(text: string, beginning: string): number {
  return Math.max(1, text.split("\n").findIndex((line) => line.startsWith(beginning)) + 1);
}
