import { expect, test } from "vitest";
import { variedDockerfile, variedShell } from "../../../src/build/variations.ts";

test("working folders of all stages but the last are others, wherever the text has them", () => {
  const text = [
    "FROM toolchain AS build",
    "WORKDIR /src",
    "COPY --from=src . .",
    "RUN cd /src/sub && cp /usr/src/a /srcs /src",
    "FROM scratch",
    "WORKDIR /data",
    "COPY --from=build /src/out /data",
  ];
  expect(variedDockerfile(text.join("\n"))?.split("\n")).toEqual([
    "FROM toolchain AS build",
    "WORKDIR /varied/src",
    "COPY --from=src . .",
    "RUN cd /varied/src/sub && cp /usr/src/a /srcs /varied/src",
    "FROM scratch",
    "WORKDIR /data",
    "COPY --from=build /varied/src/out /data",
  ]);
});

test("a folder below another is varied once, and a dot in its name is no wildcard", () => {
  const text = "FROM toolchain\nWORKDIR /a.b\nWORKDIR /a.b/c\nRUN ls /a.b/c /axb\nFROM scratch\n";
  expect(variedDockerfile(text)).toBe(
    "FROM toolchain\nWORKDIR /varied/a.b\nWORKDIR /varied/a.b/c\nRUN ls /varied/a.b/c /axb\nFROM scratch\n",
  );
});

test("what has no working folder, or none that is fixed, stays as it is", () => {
  expect(variedDockerfile("FROM scratch\nWORKDIR /data\n")).toBeUndefined();
  expect(variedDockerfile("FROM toolchain\nWORKDIR /a/$NAME\nFROM scratch\n")).toBeUndefined();
  expect(variedDockerfile("FROM toolchain\nWORKDIR /\nFROM scratch\n")).toBeUndefined();
});

test("only variations of the commands' surroundings need a shell", () => {
  expect(variedShell([])).toBeUndefined();
  expect(variedShell(["hostname", "path"])).toBeUndefined();
  expect(variedShell(["umask", "hostname"])).toEqual(["/bin/sh", "-c", 'umask 0002; exec /bin/sh -c "$0"']);
});
