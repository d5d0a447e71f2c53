import { formatLocation } from "../errors.ts";
import type { Added } from "./add-recipe.ts";
import { labelOf } from "./image-config.ts";
import { counted, shortList, shown } from "./text.ts";

/** What was added, for a terminal: what was seen, what was written, what is open, what to do next. */
export function addedText(added: Added): string {
  const { name, version, files, questions, problems, isWritten } = added;
  const lines = [`${isWritten ? "added" : "would add"} ${name} ${version}`, "", ...seen(added), ""];
  lines.push(isWritten ? "written:" : "files, none of them written:");
  for (const path of files.keys()) lines.push(`  ${path}`);
  if (!isWritten) for (const [path, text] of files) lines.push("", `--- ${path}`, text.trimEnd());
  lines.push(
    "",
    questions.length === 0
      ? "no open questions"
      : `open questions (${questions.length}), each with where its answer goes:`,
  );
  for (const { file, line, text } of questions)
    lines.push(`  ${formatLocation({ file, ...(line !== undefined && { line }) })}: ${text}`);
  lines.push("", problems.length === 0 ? "lint: nothing" : `lint (${problems.length}):`);
  for (const { severity, location, message } of problems)
    lines.push(`  ${severity} ${formatLocation(location)}: ${message}`);
  if (isWritten) {
    lines.push("", "next:", `  answer the questions, then: refoundry lint ${name}`);
    lines.push(`  ${added.release ? `refoundry rebuild ${name}@${version}` : `refoundry pin ${name} ${version}`}`);
  }
  return lines.join("\n");
}

function seen({ image, source, toolchain, platforms }: Added): string[] {
  const { go, packages, distribution, hasShell, programs } = image;
  const rows: [string, string][] = [
    ["image", `${image.descriptor.digest} (${shortList(image.platforms, 12)})`],
    ["runs", shown([...image.config.entrypoint, ...image.config.cmd].join(" ")) || "(nothing named)"],
    [
      "holds",
      [
        distribution ?? "no os-release",
        ...packages.map(({ type, count }) => counted(count, `${type} package`)),
        hasShell === undefined ? "files not read" : hasShell ? "a shell" : "no shell",
        ...(programs.length > 0 ? [`${counted(programs.length, "program")} of no package`] : []),
      ].join(", "),
    ],
  ];
  if (image.base) rows.push(["base", image.base.name]);
  if (go) rows.push(["go", `${go.path}: ${go.goVersion}, module ${go.module} ${go.version}`.trimEnd()]);
  const licence = labelOf(image.config, "licenses");
  if (licence !== undefined) rows.push(["licence", `${shown(licence, 80)} (label)`]);
  const where = source.isFromLabel ? " (the image's label names it)" : source.isKnown ? " (known already)" : "";
  rows.push(["source", `${shown(source.url)}${where}`]);
  if (source.revision)
    rows.push([
      "revision",
      `${source.revision.commit} (${source.revision.tag === undefined ? "the image's label" : `tag ${source.revision.tag}`})`,
    ]);
  rows.push([
    "built with",
    `${toolchain}${source.facts ? `, ${source.facts.kind === "unknown" ? "steps unknown" : source.facts.kind}` : ""}`,
  ]);
  rows.push(["extended to", platforms.extend.length === 0 ? "nothing" : platforms.extend.join(", ")]);
  if (platforms.cannot.length > 0) rows.push(["left out", `${platforms.cannot.join(", ")} (${toolchain} cannot)`]);
  return rows.map(([label, value]) => `${label.padEnd(12)} ${value}`);
}

/** What was added, for programs: `refoundry/add/v1`. */
export function addedDocument(added: Added): unknown {
  const { image, source, platforms } = added;
  return {
    schema: "refoundry/add/v1",
    recipe: added.name,
    version: added.version,
    written: added.isWritten,
    image: {
      digest: image.descriptor.digest,
      platforms: image.platforms,
      looked: image.looked,
      entrypoint: image.config.entrypoint.map((word) => shown(word)),
      cmd: image.config.cmd.map((word) => shown(word)),
      ...(image.base && { base: image.base }),
      ...(image.distribution !== undefined && { distribution: image.distribution }),
      ...(image.hasShell !== undefined && { shell: image.hasShell }),
      packages: image.packages,
      programs: image.programs,
      ...(image.go && { go: { ...image.go, settings: Object.fromEntries(image.go.settings) } }),
    },
    source: {
      name: source.name,
      url: source.url,
      fromLabel: source.isFromLabel,
      known: source.isKnown,
      ...source.revision,
      ...(source.facts && { kind: source.facts.kind }),
      ...(source.facts?.licence && { licence: source.facts.licence }),
    },
    toolchain: added.toolchain,
    platforms,
    files: [...added.files].map(([path, text]) => (added.isWritten ? { path } : { path, text })),
    questions: added.questions,
    problems: added.problems,
  };
}
