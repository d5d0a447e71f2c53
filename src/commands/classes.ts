import { describedClasses } from "../compare/classes/catalogue.ts";
import { usageError } from "../errors.ts";
import { type CliContext, type CommonFlags, runCommand } from "./context.ts";

/** `refoundry classes [NAME]` */
export function classes(this: CliContext, flags: CommonFlags, name?: string): Promise<void> {
  return runCommand(this, flags, async () => {
    const all = [...describedClasses.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
    const chosen = name === undefined ? all : all.filter((found) => found.name === name);
    if (chosen.length === 0)
      throw usageError(`${JSON.stringify(name)} is no class of differences`, {
        hint: "refoundry classes lists all of them",
      });
    const width = Math.max(...all.map((found) => found.name.length));
    const text =
      name === undefined
        ? chosen.map((found) => `${found.name.padEnd(width)}  ${found.meaning}`)
        : chosen.flatMap((found) => [
            `${found.name}, version ${found.version}`,
            `  what differs:    ${found.meaning}`,
            `  how normalised:  ${found.normalises}`,
            `  why it is safe:  ${found.safety}`,
          ]);
    const described = chosen.map((found) => ({
      name: found.name,
      version: found.version,
      meaning: found.meaning,
      normalises: found.normalises,
      safety: found.safety,
    }));
    return { text: text.join("\n"), document: { schema: "refoundry/classes/v1", classes: described }, exitCode: 0 };
  });
}
