import { expect, test } from "vitest";
import { builderVersionOf, type DockerProbe, parseBuilder, problemsOf } from "../../../src/engine/machine-docker.ts";

const inspected = `Name:          default
Driver:        docker

Nodes:
Name:             default
Endpoint:         default
Status:           running
BuildKit version: v0.25.2
Platforms:        linux/amd64*, linux/amd64/v2, linux/arm64
`;

const good: DockerProbe = {
  serverVersion: "28.5.2",
  buildxPath: "/usr/libexec/docker/cli-plugins/docker-buildx",
  builder: parseBuilder(inspected),
  containerdImageStore: true,
  nativePlatform: "linux/amd64",
};

test("a builder is read from what buildx prints", () => {
  expect(parseBuilder(inspected)).toEqual({
    driver: "docker",
    version: "v0.25.2",
    platforms: ["linux/amd64", "linux/amd64/v2", "linux/arm64"],
    nodes: 1,
  });
  expect(problemsOf(good)).toEqual([]);
});

test("a BuildKit without a version is named by its engine", () => {
  const unknown = parseBuilder(inspected.replace("v0.25.2", "v0.0.0+unknown"));
  expect(builderVersionOf(unknown, "28.5.2")).toBe("docker 28.5.2");
  expect(builderVersionOf(parseBuilder(inspected), "28.5.2")).toBe("buildkit v0.25.2");
});

test.each([
  ["no buildx", { buildxPath: undefined }, /buildx plugin is missing/],
  ["no builder", { builder: undefined }, /no usable builder/],
  ["the old image store", { containerdImageStore: false }, /containerd-snapshotter/],
  ["a builder of several nodes", { builder: parseBuilder(`${inspected}\nEndpoint: tcp://other\n`) }, /several nodes/],
])("%s is said, with what to do", (_, change, message) => {
  expect(problemsOf({ ...good, ...change }).join("\n")).toMatch(message);
});

test("a container builder does not need the engine's image store", () => {
  const builder = parseBuilder(inspected.replace("Driver:        docker", "Driver:        docker-container"));
  expect(problemsOf({ ...good, builder, containerdImageStore: false })).toEqual([]);
});
