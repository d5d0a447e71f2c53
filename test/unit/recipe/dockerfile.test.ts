import * as fc from "fast-check";
import { expect, test } from "vitest";
import { formatProblem } from "../../../src/errors.ts";
import { checkDockerfile } from "../../../src/recipe/dockerfile.ts";
import { splitDockerfile } from "../../../src/recipe/dockerfile-lines.ts";
import { recipeTreeFiles } from "../../support/recipes.ts";

/** `line: message` of each problem, hints left out. */
function problems(text: string): string[] {
  return checkDockerfile(text, "D").map(({ message, location }) => `${location?.line}: ${message}`);
}

const begin = "FROM toolchain AS build\n";

test.each<[what: string, text: string]>([
  ["the tree's", recipeTreeFiles["recipes/images/tini/Dockerfile"]],
  ["only scratch", "FROM scratch\nCOPY --from=src / /\n"],
  [
    "ARG before FROM, lower case, comments",
    "# about\narg A=1\n\nfrom --platform=$BUILDPLATFORM toolchain as Build\nFROM build\nCOPY --from=BUILD /a /a\nCOPY --from=0 /a /b\n",
  ],
  [
    "continuation with comments and empty lines inside",
    `${begin}RUN a && \\\n# FROM busybox\n\n   b \\ \n && c\nCOPY x /x\n`,
  ],
  ["here-document that holds instructions", `${begin}RUN <<EOF\nFROM busybox\nADD https://x /\nEOF\nCOPY x /x\n`],
  ["two here-documents, one with tabs cut", `${begin}COPY <<"A" <<-B /dir/\nFROM x\nA\nFROM y\n\tB\nRUN true\n`],
  ["here-document by a file number", `${begin}RUN cat 3<<EOF\nADD https://x /\nEOF\n`],
  ["shift and here-string are no here-documents", `${begin}RUN echo $((1<<3)) "a <<EOF" && cat <<<word\nCOPY x /x\n`],
  ["a network option that belongs to the command", `${begin}RUN docker-like --network=host\n`],
  ["RUN --network=none", `${begin}RUN --network=none true\n`],
  ["mount of the source", `${begin}RUN --mount=type=bind,from=src,target=/s --mount=type=tmpfs,target=/t make\n`],
  ["ADD of a file", "FROM scratch\nADD rootfs.tar.xz /\n"],
  ["two backslashes end no line", `${begin}RUN echo a\\\\\nCOPY x /x\n`],
  ["a trigger", `${begin}ONBUILD COPY . /src\n`],
])("allowed: %s", (_what, text) => {
  expect(problems(text)).toEqual([]);
});

test.each<[what: string, text: string, expected: string[]]>([
  [
    "syntax directive",
    `# syntax=docker/dockerfile:1\n${begin}`,
    ["1: a syntax directive has the builder pull its Dockerfile reader from a registry"],
  ],
  [
    "syntax directive, other ways to write it",
    `#!/usr/bin/env x\n  #  SynTax = x\n${begin}`,
    ["2: a syntax directive has the builder pull its Dockerfile reader from a registry"],
  ],
  [
    "syntax directive after a byte order mark",
    `\ufeff# syntax=x\n${begin}`,
    ["1: a syntax directive has the builder pull its Dockerfile reader from a registry"],
  ],
  ["syntax directive with //", `//syntax=x\n${begin}`, ['1: "//syntax=x" is not an instruction']],
  ["syntax directive in JSON", '{"syntax": "x"}', ['1: "{\\"syntax\\":" is not an instruction']],
  [
    "escape directive",
    `# escape=\`\n${begin}RUN a \`\nADD https://x /\n`,
    [
      "1: an escape directive changes where lines go on",
      "4: ADD takes something from an address, and builds have no network",
    ],
  ],
  ["another image", "FROM busybox\n", ['1: FROM "busybox" is neither scratch, a stage above, toolchain nor src']],
  [
    "a context with a tag",
    "FROM toolchain:latest\n",
    ['1: FROM "toolchain:latest" is neither scratch, a stage above, toolchain nor src'],
  ],
  [
    "a variable",
    "ARG B=toolchain\nFROM ${B}\n",
    ['2: FROM "${B}" is neither scratch, a stage above, toolchain nor src'],
  ],
  [
    "a stage below",
    "FROM later\nFROM scratch AS later\n",
    ['1: FROM "later" is neither scratch, a stage above, toolchain nor src'],
  ],
  ["itself", "FROM a AS a\n", ['1: FROM "a" is neither scratch, a stage above, toolchain nor src']],
  [
    "FROM gone over two lines",
    "FROM \\\n  busybox\n",
    ['1: FROM "busybox" is neither scratch, a stage above, toolchain nor src'],
  ],
  ["FROM with too much", "FROM scratch AS a b\n", ["1: FROM does not have the form FROM BASE [AS NAME]"]],
  ["stage name with _ at its end", "FROM scratch AS out_\n", ['1: the stage name "out_" ends in _']],
  ["stage name of an input", "FROM scratch AS Toolchain\n", ['1: the stage name "Toolchain" is that of an input']],
  ["stage twice", "FROM scratch AS a\nFROM scratch AS A\n", ['2: the stage "A" is there twice']],
  ["stage name", "FROM scratch AS 0\n", ['1: "0" is not a stage name']],
  [
    "ADD https",
    `${begin}ADD https://x.example/a /a\n`,
    ["2: ADD takes something from an address, and builds have no network"],
  ],
  [
    "ADD http in JSON and quotes",
    `${begin}ADD ["ht""tp://x/a", "/a"]\n`,
    ["2: ADD takes something from an address, and builds have no network"],
  ],
  [
    "ADD git",
    `${begin}ADD git@host.example:a/b.git /a\nADD github.com/a/b /a\nADD x/y.git#main /a\n`,
    [2, 3, 4].map((line) => `${line}: ADD takes something from an address, and builds have no network`),
  ],
  [
    "ADD by a variable",
    `${begin}ARG U=https://x\nADD $U /a\n`,
    ["3: ADD with a variable or a backslash may come from an address"],
  ],
  [
    "ADD by escapes",
    `${begin}ADD https\\://x /a\n`,
    ["2: ADD with a variable or a backslash may come from an address"],
  ],
  [
    "ADD --checksum",
    `${begin}ADD --checksum=sha256:0 a /a\n`,
    ["2: ADD --checksum=sha256:0 is for what comes from an address"],
  ],
  [
    "RUN with a network",
    `${begin}RUN --network=host a\nRUN --mount=type=tmpfs,target=/t --network=default a\n`,
    ["2: RUN --network=host: builds have no network", "3: RUN --network=default: builds have no network"],
  ],
  [
    "RUN with a network on the next line",
    `${begin}RUN \\\n\\\n --network=host a\n`,
    ["2: RUN --network=host: builds have no network"],
  ],
  [
    "option in quotes",
    `${begin}RUN --net"work=host" a\n`,
    ['2: the option "--net\\"work=host\\"" has quotes or a backslash in it'.replaceAll('\\"', '"')],
  ],
  [
    "RUN without a sandbox",
    `${begin}RUN --security=insecure a\n`,
    ["2: RUN --security=insecure: builds have no more rights than a sandbox gives"],
  ],
  [
    "COPY --from an image",
    `${begin}COPY --from=busybox /a /a\nCOPY --from=build /a /a\nCOPY --from=0 /a /a\nCOPY --from=$X /a /a\n`,
    [2, 3, 4, 5].map(
      (line) =>
        `${line}: COPY --from "${["busybox", "build", "0", "$X"][line - 2]}" is neither a stage above, toolchain nor src`,
    ),
  ],
  [
    "mount from an image",
    `${begin}RUN --mount=target=/x,FROM=busybox a\n`,
    ['2: RUN --mount from "busybox" is neither a stage above, toolchain nor src'],
  ],
  [
    "triggers",
    `${begin}ONBUILD ADD https://x /\nONBUILD RUN --network=host a\nONBUILD FROM busybox\nONBUILD\n`,
    [
      "2: ADD takes something from an address, and builds have no network",
      "3: RUN --network=host: builds have no network",
      "4: ONBUILD has no instruction that it can hold",
      "5: ONBUILD has no instruction that it can hold",
    ],
  ],
  [
    "instruction after a here-document",
    `${begin}RUN <<EOF\nx\nEOF\nADD https://x /\n`,
    ["5: ADD takes something from an address, and builds have no network"],
  ],
  [
    "here-document in quotes is none",
    `${begin}RUN echo "a\\\n <<EOF b"\nADD https://x /\n`,
    ["4: ADD takes something from an address, and builds have no network"],
  ],
  [
    "a here-document that ENV does not have",
    `${begin}ENV A <<EOF\nADD https://x /\nEOF\n`,
    ["3: ADD takes something from an address, and builds have no network", '4: "EOF" is not an instruction'],
  ],
  ["here-document without an end", `${begin}RUN <<EOF\nx\n`, ["2: the here-document EOF has no end"]],
  [
    "here-document after an open quote",
    `${begin}RUN echo it's <<EOF\nADD https://x /\nEOF\n`,
    ["2: whether this opens a here-document is not plain to see"],
  ],
  [
    "here-document with a space before its name",
    `${begin}RUN cat << EOF\nADD https://x /\nEOF\n`,
    ["2: whether this opens a here-document is not plain to see"],
  ],
  [
    "here-document name with more",
    `${begin}RUN (cat <<EOF)\nx\nEOF)\n`,
    ["2: whether this opens a here-document is not plain to see"],
  ],
  [
    "CR line ends",
    "FROM scratch\r\nADD x /\r\n",
    ["1: has a control character or a white space other than space and tab"],
  ],
  [
    "space that is none to JavaScript or Go",
    `${begin}RUN\u00a0--network=host a\n`,
    ["2: has a control character or a white space other than space and tab"],
  ],
  ["unknown instruction", `${begin}make all\n`, ['2: "make" is not an instruction']],
  ["before FROM", "RUN a\nFROM scratch\n", ["1: RUN stands before the first FROM"]],
  ["empty", "", ["1: has no FROM"]],
  ["comments only", "# FROM scratch\n", ["1: has no FROM"]],
])("refused: %s", (_what, text, expected) => {
  expect(problems(text)).toEqual(expected);
});

test("a near name is offered", () => {
  expect(checkDockerfile("FROM tolchain\n", "D").map(formatProblem)[0]).toBe(
    'D:1: FROM "tolchain" is neither scratch, a stage above, toolchain nor src\n  did you mean "toolchain"?\n  build on scratch, toolchain, src or a stage above: every input is pinned in the release',
  );
});

test("an instruction that is written out plainly is never hidden by what stands before it", () => {
  const piece = fc.constantFrom(
    "RUN",
    "COPY",
    "ENV",
    "<<EOF",
    "<<-E",
    "EOF",
    "E",
    "\\",
    "\n",
    "\n",
    " ",
    " ",
    '"',
    "'",
    "#",
    "a",
    "$",
    "${",
    "<<",
    "\\\n",
    "\t",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 25 }), (pieces) => {
      const before = `${begin}${pieces.join("")}`;
      const { instructions, problems: found } = splitDockerfile(`${before}\n\nADD https://x /\n`, "D");
      // either something is reported, or the ADD is seen, or it is part of the RUN that goes on before it
      const seen = instructions.some((each) => each.name === "ADD" || each.rest.includes("ADD https://x /"));
      expect(found.length > 0 || seen).toBe(true);
    }),
    { numRuns: 2000 },
  );
});
