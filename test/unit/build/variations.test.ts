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

test("what lies beside a working folder goes along, but not in a folder of the system", () => {
  expect(variedDockerfile("FROM toolchain\nWORKDIR /build/a\nRUN cp /build/b/c /builds /build/a\nFROM scratch\n")).toBe(
    "FROM toolchain\nWORKDIR /varied/build/a\nRUN cp /varied/build/b/c /builds /varied/build/a\nFROM scratch\n",
  );
  expect(variedDockerfile("FROM toolchain\nWORKDIR /usr/src\nRUN cp /usr/src/b /usr/bin\nFROM scratch\n")).toBe(
    "FROM toolchain\nWORKDIR /varied/usr/src\nRUN cp /varied/usr/src/b /usr/bin\nFROM scratch\n",
  );
});

test("a working folder that is called by an argument is varied by the folder it lies in", () => {
  expect(variedDockerfile("FROM toolchain\nWORKDIR /build/a-$VERSION\nRUN ls /build/a-$VERSION\nFROM scratch\n")).toBe(
    "FROM toolchain\nWORKDIR /varied/build/a-$VERSION\nRUN ls /varied/build/a-$VERSION\nFROM scratch\n",
  );
});

test("what has no working folder, or none that is fixed, stays as it is", () => {
  expect(variedDockerfile("FROM scratch\nWORKDIR /data\n")).toBeUndefined();
  expect(variedDockerfile("FROM toolchain\nWORKDIR /$NAME\nFROM scratch\n")).toBeUndefined();
  expect(variedDockerfile("FROM toolchain\nWORKDIR /\nFROM scratch\n")).toBeUndefined();
});

test("only variations of the commands' surroundings need a shell", () => {
  expect(variedShell([])).toBeUndefined();
  expect(variedShell(["hostname", "path"])).toBeUndefined();
  expect(variedShell(["umask", "hostname"])).toEqual(["/bin/sh", "-c", 'umask 0002; exec /bin/sh -c "$0"']);
});
