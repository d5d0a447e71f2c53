import type { Problem } from "../errors.ts";
import { type Instruction, splitDockerfile } from "./dockerfile-lines.ts";
import { didYouMean, quoted } from "./words.ts";

/** What every Dockerfile may build on besides `scratch` and its own stages. */
const commonContexts = ["toolchain", "src"];

const inputsHint = "build on scratch, toolchain, src or a stage above: every input is pinned in the release";

/** The stages above an instruction. */
interface Stages {
  /** Lower case, as BuildKit compares them. */
  readonly names: readonly string[];
  readonly count: number;
  /** The named contexts. */
  readonly inputs: readonly string[];
}

type Refuse = (message: string, hint: string) => void;

/**
 * Says early what the build would refuse: inputs that are not pinned in the release
 * (images, addresses, a syntax directive), a network in RUN, and what the factory needs
 * stage names to be. `contexts` are the recipe's own, beside `toolchain` and `src`. The source policy of the build is the barrier; this only explains.
 */
export function checkDockerfile(text: string, file: string, contexts: readonly string[] = []): Problem[] {
  const { instructions, problems: found } = splitDockerfile(text, file);
  const problems = [...found];
  let stages: Stages = { names: [], count: 0, inputs: [...commonContexts, ...contexts] };
  for (const instruction of instructions) {
    const refuse: Refuse = (message, hint) =>
      problems.push({ message, location: { file, line: instruction.line }, hint });
    // the stage that a FROM begins is not one that the FROM itself, or its own COPY, can name
    const above: Stages =
      instruction.name === "FROM" ? stages : { ...stages, names: stages.names.slice(0, -1), count: stages.count - 1 };
    checkInstruction(instruction, above, refuse);
    if (instruction.name === "FROM")
      stages = {
        ...stages,
        names: [...stages.names, stageNameOf(instruction) ?? ""],
        count: stages.count + 1,
      };
    else if (stages.count === 0 && instruction.name !== "ARG")
      refuse(`${instruction.name} stands before the first FROM`, "begin with FROM");
  }
  if (stages.count === 0 && found.length === 0)
    problems.push({ message: "has no FROM", location: { file, line: 1 }, hint: inputsHint });
  return problems.toSorted((a, b) => (a.location?.line ?? 0) - (b.location?.line ?? 0));
}

function checkInstruction(instruction: Instruction, stages: Stages, refuse: Refuse): void {
  const unclear = instruction.flags.find((flag) => /["'\\]/.test(flag));
  if (unclear !== undefined)
    return refuse(`the option ${quoted(unclear)} has quotes or a backslash in it`, "write it plainly");
  switch (instruction.name) {
    case "FROM":
      return checkFrom(instruction, stages, refuse);
    case "ADD":
      return checkAdd(instruction, refuse);
    case "COPY":
      for (const flag of instruction.flags)
        if (/^--from/i.test(flag)) checkInput(flag.slice("--from=".length), "COPY --from", stages, refuse);
      return;
    case "RUN":
      return checkRun(instruction, stages, refuse);
    case "ONBUILD":
      return checkTrigger(instruction, stages, refuse);
    default:
  }
}

function checkFrom(instruction: Instruction, stages: Stages, refuse: Refuse): void {
  for (const flag of instruction.flags) {
    if (!flag.startsWith("--platform=")) refuse(`FROM has the option ${quoted(flag)}`, "only --platform is used here");
  }
  const [base = "", as, name, ...more] = instruction.rest.split(/[ \t]+/);
  if (
    base === "" ||
    (as !== undefined && as.toLowerCase() !== "as") ||
    (as !== undefined && name === undefined) ||
    more.length > 0
  ) {
    return refuse("FROM does not have the form FROM BASE [AS NAME]", inputsHint);
  }
  const known = base === "scratch" || stages.inputs.includes(base) || stages.names.includes(base.toLowerCase());
  if (!known) {
    const near = didYouMean(base, ["scratch", ...stages.inputs, ...stages.names.filter((stage) => stage !== "")]);
    refuse(
      `FROM ${quoted(base)} is neither scratch, a stage above, ${namesOf(stages)}`,
      near ? `${near}\n${inputsHint}` : inputsHint,
    );
  }
  if (name === undefined) return;
  const stage = name.toLowerCase();
  if (!/^[a-z][a-z0-9_.-]*$/.test(stage))
    return refuse(`${quoted(name)} is not a stage name`, "begin with a letter; use letters, digits and . _ -");
  if (stage.endsWith("_"))
    return refuse(`the stage name ${quoted(name)} ends in _`, "such names are kept for refoundry");
  if (stage === "scratch" || stages.inputs.includes(stage))
    return refuse(`the stage name ${quoted(name)} is that of an input`, "give the stage a name of its own");
  if (stages.names.includes(stage))
    refuse(`the stage ${quoted(name)} is there twice`, "give each stage a name of its own");
}

function checkAdd(instruction: Instruction, refuse: Refuse): void {
  const flag = instruction.flags.find((each) => /^--(checksum|keep-git-dir)/i.test(each));
  if (flag !== undefined)
    return refuse(
      `ADD ${flag} is for what comes from an address`,
      "put it under source or beside the Dockerfile, and COPY it",
    );
  const sources = instruction.rest.replace(/["']/g, "");
  if (/[$\\]/.test(sources))
    return refuse("ADD with a variable or a backslash may come from an address", "use COPY, which takes files only");
  if (/:\/\/|[\w-]@[\w.-]+:|(^|[\s[,])(github\.com|[^\s]+\.git([\s#,\]]|$))/i.test(sources)) {
    refuse(
      "ADD takes something from an address, and builds have no network",
      "put it under source or beside the Dockerfile, and COPY it",
    );
  }
}

function checkRun(instruction: Instruction, stages: Stages, refuse: Refuse): void {
  for (const flag of instruction.flags) {
    if (/^--network/i.test(flag) && flag !== "--network=none")
      refuse(`RUN ${flag}: builds have no network`, "remove the option");
    if (/^--security/i.test(flag) && flag !== "--security=sandbox")
      refuse(`RUN ${flag}: builds have no more rights than a sandbox gives`, "remove the option");
    if (!/^--mount/i.test(flag)) continue;
    for (const field of flag.slice("--mount=".length).split(",")) {
      const [key = "", ...value] = field.split("=");
      if (key.trim().toLowerCase() === "from") checkInput(value.join("="), "RUN --mount from", stages, refuse);
    }
  }
}

function checkTrigger(instruction: Instruction, stages: Stages, refuse: Refuse): void {
  const inner = splitDockerfile(instruction.rest.replaceAll("<<", ""), "").instructions[0];
  if (!inner || inner.name === "FROM" || inner.name === "ONBUILD")
    return refuse("ONBUILD has no instruction that it can hold", "write ONBUILD and one instruction");
  checkInstruction(inner, stages, refuse);
}

function checkInput(name: string, what: string, stages: Stages, refuse: Refuse): void {
  const stage = name.toLowerCase();
  const isIndex = /^\d{1,4}$/.test(name) && Number(name) < stages.count;
  if (isIndex || stages.inputs.includes(name) || (stage !== "" && stages.names.includes(stage))) return;
  refuse(`${what} ${quoted(name)} is neither a stage above, ${namesOf(stages)}`, inputsHint);
}

function stageNameOf(instruction: Instruction): string | undefined {
  return instruction.rest.split(/[ \t]+/)[2]?.toLowerCase();
}

/** The contexts as the end of "neither ..., a nor b". */
function namesOf({ inputs }: Stages): string {
  return `${inputs.slice(0, -1).join(", ")} nor ${inputs.at(-1)}`;
}
