import { createGit, type Git } from "../git/run-git.ts";
import { shown } from "./text.ts";
import type { SourceFacts, SourceKind } from "./types.ts";

const maxTop = 1000;
const maxFileBytes = 256 * 1024;

/** What tells how a source is built, by the names at its top; the first that fits. */
const kinds: readonly (readonly [file: string, kind: SourceKind])[] = [
  ["go.mod", "go"],
  ["Cargo.toml", "cargo"],
  ["CMakeLists.txt", "cmake"],
  ["meson.build", "meson"],
  ["configure.ac", "autotools"],
  ["configure", "autotools"],
  ["Makefile", "make"],
  ["makefile", "make"],
  ["GNUmakefile", "make"],
  ["package.json", "node"],
  ["pyproject.toml", "python"],
  ["setup.py", "python"],
];

/** Phrases by which licence texts are told apart; the first that fits. */
const licences: readonly (readonly [id: string, ...phrases: RegExp[]])[] = [
  ["Apache-2.0", /Apache License\s+Version 2\.0/],
  ["MPL-2.0", /Mozilla Public License,? Version 2\.0/i],
  ["AGPL-3.0-only", /GNU AFFERO GENERAL PUBLIC LICENSE\s+Version 3/],
  ["LGPL-3.0-only", /GNU LESSER GENERAL PUBLIC LICENSE\s+Version 3/],
  ["LGPL-2.1-only", /GNU LESSER GENERAL PUBLIC LICENSE\s+Version 2\.1/],
  ["GPL-3.0-only", /GNU GENERAL PUBLIC LICENSE\s+Version 3/],
  ["GPL-2.0-only", /GNU GENERAL PUBLIC LICENSE\s+Version 2/],
  ["BSD-3-Clause", /Redistribution and use in source and binary forms/, /endorse or\s+promote/],
  ["BSD-2-Clause", /Redistribution and use in source and binary forms/],
  ["ISC", /Permission to use, copy, modify, and\/?o?r? distribute this software for any purpose/],
  ["MIT", /Permission is hereby granted, free of charge, to any person obtaining a copy/],
  ["Unlicense", /This is free and unencumbered software released into the public domain/],
];

/** Looks at a commit's tree in a bare repository; nothing is checked out. */
export async function readSourceFacts(
  repositoryPath: string,
  commit: string,
  signal?: AbortSignal,
): Promise<SourceFacts> {
  const git = createGit(repositoryPath, signal);
  const listed = await git(["ls-tree", "--long", "-z", commit]);
  const files = new Map<string, number>();
  for (const line of listed.split("\0")) {
    const [, size, name] = /^100[0-7]{3} blob [0-9a-f]+ +(\d+)\t(.+)$/s.exec(line) ?? [];
    if (name !== undefined && files.size < maxTop) files.set(name, Number(size));
  }
  const hasVendor = /^040000 tree [0-9a-f]+ +-\tvendor$/m.test(listed.replaceAll("\0", "\n"));
  const read = (name: string): Promise<string> => readText(git, commit, name, files);
  const kind = kinds.find(([file]) => files.has(file))?.[1] ?? "unknown";
  const licence = await findLicence([...files.keys()], read);
  const common = {
    kind,
    top: [...files.keys()].map((name) => shown(name, 80)),
    ...(licence && { licence }),
  };
  if (kind !== "go") return common;
  const module = await read("go.mod");
  const goModule = /^module\s+"?([^\s"]+)/m.exec(module)?.[1];
  const needsNothing = !/^\s*require\b/m.test(module);
  return {
    ...common,
    isVendored: hasVendor || needsNothing,
    ...(goModule !== undefined && { goModule: shown(goModule) }),
  };
}

async function findLicence(
  names: readonly string[],
  read: (name: string) => Promise<string>,
): Promise<SourceFacts["licence"]> {
  const candidates = names.filter((name) => /^(LICEN[CS]E|COPYING|UNLICENSE)([.-].*)?$/i.test(name)).toSorted();
  for (const file of candidates.slice(0, 5)) {
    const text = await read(file);
    const [id] = licences.find(([, ...phrases]) => phrases.every((phrase) => phrase.test(text))) ?? [];
    if (id !== undefined) return { id, file: shown(file, 80) };
  }
  return undefined;
}

async function readText(git: Git, commit: string, name: string, files: ReadonlyMap<string, number>): Promise<string> {
  const size = files.get(name);
  if (size === undefined || size > maxFileBytes) return "";
  return git(["cat-file", "blob", `${commit}:${name}`]);
}
