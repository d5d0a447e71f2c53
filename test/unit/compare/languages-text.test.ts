import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { languageClasses } from "../../../src/compare/classes/languages/family.ts";

const context = { member: async (_name: string, bytes: Buffer) => bytes, remaining: () => 0, spend() {} };

async function normalised(path: string, text: string | Buffer): Promise<string | undefined> {
  const bytes = Buffer.from(text as string);
  const textDate = languageClasses.find(({ name }) => name === "text-date");
  if (!textDate?.applies({ path, bytes })) return undefined;
  const result = await textDate.normalise({ path, bytes }, context);
  if (result === "absent") throw new Error("absent");
  return result?.toString("latin1");
}

function latin1(text: string): string {
  return Buffer.from(text).toString("latin1");
}

/** Two moments in the same form. */
const moments: readonly (readonly [string, string, string])[] = [
  ["RFC 3339", "2026-11-23T08:41:14Z", "2020-01-02T03:04:05Z"],
  ["RFC 3339 with fractions", "2026-11-23T08:41:14.123456+01:00", "2020-01-02T03:04:05.1-07:00"],
  ["ISO 8601", "2026-11-23 08:41:14 +0000", "2020-01-02 03:04:05 -0330"],
  ["a day", "2026-11-23", "2020-02-29"],
  ["RFC 5322", "Mon, 23 Nov 2026 08:41:14 +0000", "Thu, 2 Jan 2020 03:04:05 +0100"],
  ["ctime", "Mon Nov 23 08:41:14 2026", "Thu Jan  2 03:04:05 2020"],
  ["date", "Mon Nov 23 08:41:14 UTC 2026", "Thu Jan  2 03:04:05 CEST 2020"],
  ["date in America", "Mon 23 Nov 2026 08:41:14 AM UTC", "Thu 02 Jan 2020 03:04:05 PM EST"],
];

describe("dates in a comment at the head", () => {
  test.each(moments)("%s", async (_, one, other) => {
    const script = (moment: string) => `#!/bin/sh\n\n# Generated on ${moment}, do not edit\nexec true\n`;
    const expected = await normalised("usr/bin/tool", script(one));
    expect(expected).toBeDefined();
    expect(await normalised("usr/bin/tool", script(other))).toBe(expected);
    expect(await normalised("usr/bin/tool", expected ?? "")).toBe(expected);
    expect(expected).not.toContain("2026");
  });

  test("different forms stay different", async () => {
    const forms = await Promise.all(moments.map(([, moment]) => normalised("a.sh", `# ${moment}\n`)));
    expect(new Set(forms).size).toBe(moments.length);
  });

  test.each([
    ["another weekday", "Tue Nov 23 08:41:14 2026"],
    ["a day that is not", "2026-02-30"],
    ["an hour that is not", "Mon Nov 23 24:41:14 2026"],
    ["hour 13 of 12", "Mon Nov 23 13:41:14 PM UTC 2026"],
    ["part of a name", "tool-2026-11-23.tar.gz"],
    ["part of a path", "/srv/2026-11-23/tool"],
    ["part of a version", "1.2026-11-23"],
    ["a longer number", "12026-11-23"],
    ["digits behind it", "2026-11-234"],
    ["an image's tag", "syntax=docker/dockerfile:2026-11-23"],
    ["a setting", "since=2026-11-23"],
    ["a range", "2026-11-23-2027-11-23"],
    ["a year long gone", "1869-11-23"],
    ["nothing but zeros", "0000-00-00"],
  ])("keeps what is no date: %s", async (_, text) => {
    expect(await normalised("a.sh", `# ${text}\n`)).toBe(`# ${text}\n`);
  });

  test.each([
    ["C", "a.h", "/*\n * Made 2026-11-23\n */\nint x;\n"],
    ["C, on a line", "a.c", "// Made 2026-11-23\nint x;\n"],
    ["JavaScript", "a.js", "#!/usr/bin/env node\n/* Made 2026-11-23 */\nx();\n"],
    ["CSS", "a.css", "/* Made 2026-11-23 */\nx {}\n"],
    ["SQL", "a.sql", "-- Made 2026-11-23\nselect x;\n"],
    ["properties", "a.properties", "#Made\n#Mon Nov 23 08:41:14 UTC 2026\nx=b\n"],
    ["XML", "a.xml", '<?xml version="1.0" encoding="UTF-8"?>\n<!-- Made\n 2026-11-23 -->\n<x/>\n'],
    ["m4", "a.m4", "dnl Made 2026-11-23\ndefine(x)\n"],
    ["Python", "a.py", "# -*- coding: utf-8 -*-\n# Made 2026-11-23\nx()\n"],
    ["ini", "a.ini", "; Made 2026-11-23\n[x]\n"],
    ["a makefile", "Makefile", "# Made 2026-11-23\r\nx:\r\n"],
    ["Perl by its first line", "bin/tool", "#!/usr/bin/perl -w\n# Made 2026-11-23\nx;\n"],
    ["HTML", "a.html", "<!DOCTYPE html>\n<html>\n<!-- Made (17) on Mon Nov 23 08:41:14 UTC 2026 -->\n<x>\n"],
    ["HTML meta", "a.html", '<html><head>\n<meta name="date" content="2026-11-23">\n<title>x</title>\n'],
  ])("in %s", async (_, path, text) => {
    const found = await normalised(path, text);
    expect(found).toContain("1970");
    expect(found).toBe(await normalised(path, text.replace("Mon Nov 23", "Sun Nov 22").replace("11-23", "10-22")));
    expect(found).not.toBe(await normalised(path, text.replace(/x(?!ml)/, "y")));
  });
});

describe("keeps", () => {
  const date = "2026-11-23";

  test.each([
    ["a comment behind code", "a.sh", `a=1\n# ${date}\n`],
    ["a here-document", "a.sh", `#!/bin/sh\ncat <<E\n# ${date}\nE\n`],
    ["the first line's command", "a", `#!/bin/sh ${date}\n`],
    ["a directive", "a.h", `#define A ${date}\n`],
    ["a directive, indented behind the sign", "a.h", `# define A "${date}"\n`],
    ["what tools read in comments", "a.js", `//# sourceMappingURL ${date}\n`],
    ["a number sign that is none", "a.conf", `#1000 ${date}\n`],
    ["an option", "a.sql", `--since=${date}\n`],
    ["a pointer", "a.c", `*a = ${date};\n`],
    ["crontab's stars", "a.conf", `* * * * * echo ${date}\n`],
    ["code behind a comment", "a.c", `/* a */ int a = f("${date}");\n`],
    ["a comment that does not end", "a.c", `/* ${date}\nint a;\n`],
    ["lines joined by a backslash", "a.c", `// \\\n/*\nchar *a = "${date}";\n// */\n`],
    ["an end joined by a backslash", "a.c", `/* *\\\n/ f("${date}"); /*\n*/\n`],
    ["an escaped line end", "a.java", `// \\u000a f("${date}");\n`],
    ["a title", "a.html", `<title>\n<!-- ${date} -->\n</title>\n`],
    ["an attribute", "a.html", `<a b="\n<!-- ${date} -->\n">\n`],
    ["an attribute behind odd quotes", "a.html", `<a b"c d="e>\n<!-- ${date} -->\n">\n`],
    ["a script", "a.html", `<script>\n<!-- ${date} -->\n</script>\n`],
    ["a server's directive", "a.html", `<!--#set var="a" value="${date}" -->\n`],
    ["what is no comment any more", "a.html", `<!-- a --> <b>${date}</b>\n`],
    ["another meta element", "a.html", `<meta name="version" content="${date}">\n`],
    ["a comment with two signs", "a.xml", `<!-- -- ${date} -->\n`],
    ["another space", "a.sh", `\u00a0# ${date}\n`],
  ])("%s", async (_, path, text) => {
    expect(await normalised(path, text)).toBe(latin1(text));
  });

  test.each<[string, string, string | Buffer]>([
    ["prose", "a.txt", `# ${date}\n`],
    ["Markdown", "README.md", `# ${date}\n`],
    ["an unknown program's script", "a", `#!/usr/bin/tool\n# ${date}\n`],
    ["a message", "etc/motd", `# ${date}\n`],
    ["bytes that are no text", "a.sh", Buffer.from(`# ${date}\xff\n`, "latin1")],
    ["a NUL", "a.sh", `# ${date}\0\n`],
    ["another end of line", "a.py", `# ${date}\rprint()\n`],
    ["a line separator", "a.js", `// ${date}\u2028a()\n`],
    ["an encoding in which comments may end", "a.py", `# coding: utf-7\n# ${date}\n`],
    ["metadata of a script", "a.py", `# /// script\n# exclude-newer = "${date}T00:00:00Z"\n# ///\n`],
    ["a line number", "a.pl", `# ${date}\n# line 7 "a"\n`],
    ["more than a mebibyte", "a.sh", `# ${date}\n${"\n".repeat(1024 * 1024)}`],
  ])("does not read %s", async (_, path, text) => {
    expect(await normalised(path, text)).toBeUndefined();
  });
});

describe("manual pages", () => {
  const path = "usr/share/man/man1/tool.1.gz!/tool.1";
  const page = (title: string) =>
    `.\\" Made on 2026-11-23\n.de Sp\n.TH inside 2026-11-23\n..\n${title}\n.SH NAME\ntool\n2026-11-23\n`;

  test.each([
    ['.TH TOOL "1" "November 2026" "tool 1.0" "User Commands"', '.TH TOOL "1" "May 2020" "tool 1.0" "User Commands"'],
    [".TH TOOL 1 2026-11-23 tool", ".TH TOOL 1 2020-01-02 tool"],
    ['.TH "TOOL" 1 "23 November 2026"', '.TH "TOOL" 1 "2 Jan 2020"'],
    [".Dd November 23, 2026", ".Dd January 2, 2020"],
  ])("%s", async (one, other) => {
    const expected = await normalised(path, page(one));
    expect(expected).toBe(await normalised(path, page(other)));
    expect(expected).toContain("\n2026-11-23\n");
    expect(expected).toContain(".TH inside 2026-11-23");
    expect(expected).toContain("Made on 1970-01-01");
    expect(await normalised(path, expected ?? "")).toBe(expected);
  });

  test.each([
    '.TH TOOL "1" "tool 2026" "November 2026"',
    '.TH TOOL "2026-11-23" "tool" "x"',
    ".TH 2026-11-23 1 tool",
    '.TH TOOL 1 "31 June 2026"',
    ".Dd $Mdocdate: November 23 2026 $",
  ])("keeps %s", async (title) => {
    expect(await normalised(path, page(title))).toContain(`\n${title}\n`);
  });

  test("has nothing to say of pages without one title, or with macros it does not follow", async () => {
    expect(await normalised(path, ".so man1/other.1\n")).toBeUndefined();
    expect(await normalised(path, page(".TH A 1 2026-11-23\n.TH B 1 2026-11-23"))).toBeUndefined();
    expect(await normalised(path, page(".de A end\n.end\n.TH B 1 2026-11-23"))).toBeUndefined();
    expect(await normalised(path, page(".cc #\n.TH B 1 2026-11-23"))).toBeUndefined();
  });
});

test("what stands behind the comments at the head is never changed, whatever it is", async () => {
  const dated = fc.constantFrom("# 2026-11-23", " # 2026-11-23", "# Mon Nov 23 08:41:14 2026", "a='2026-11-23");
  const other = fc.constantFrom("", "#", "a=1", "cat <<E", "E", '"""');
  const noise = fc.string({ maxLength: 12 }).map((text) => text.replaceAll("\n", ""));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(dated, other, noise), { maxLength: 12 }), async (lines) => {
      const found = (await normalised("a.sh", lines.join("\n")))?.split("\n");
      const end = lines.findIndex((text) => !/^[ \t]*(?:#+(?:[ \t].*)?)?$/.test(text));
      if (!found || end === -1) return;
      expect(found.slice(end)).toEqual(lines.slice(end).map(latin1));
    }),
    { seed: 3339, numRuns: 1000 },
  );
});

test("no text whatever makes it throw, or change a second time", async () => {
  const samples = [
    ["a.html", '<!DOCTYPE html>\n<html>\n<!-- Mon Nov 23 08:41:14 2026 -->\n<meta name="date" content="2026-11-23">\n'],
    ["man/a.1", '.\\" 2026-11-23\n.TH A "1" "November 2026" "a" "b"\n.de X\n..\n'],
    ["a.c", "// 2026-11-23\n/*\n * Mon, 23 Nov 2026 08:41:14 +0000\n */\n"],
    ["a.xml", '<?xml version="1.0"?>\n<!-- 2026-11-23T08:41:14.5Z -->\n'],
  ] as const;
  for (const [path, text] of samples)
    for (let length = 0; length <= text.length; length += 1) await normalised(path, text.slice(0, length));
  const change = fc.tuple(fc.nat(), fc.constantFrom(..."\n\r <>-\"'=*/\\.#\0aT2\x80"));
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...samples), fc.array(change, { maxLength: 5 }), async ([path, text], changes) => {
      const letters = [...text];
      for (const [at, letter] of changes) letters[at % letters.length] = letter;
      const once = await normalised(path, letters.join(""));
      if (once !== undefined) expect(await normalised(path, Buffer.from(once, "latin1"))).toBe(once);
    }),
    { seed: 2822, numRuns: 1500 },
  );
});
