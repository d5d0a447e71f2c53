import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { type MappedImage, type MappingFormat, renderMapping } from "../../../src/mirror/mapping.ts";

const images: readonly MappedImage[] = [
  { from: "registry.k8s.io/pause", to: "r.example/mirror/k8s/pause", tags: ["3.10"] },
  { from: "docker.io/library/busybox", to: "r.example/mirror/library/busybox", tags: ["1.36.1", "1.36"] },
  { from: "registry.k8s.io/e2e-test-images/agnhost", to: "r.example/mirror/e2e-test-images/agnhost", tags: ["2.53"] },
];
const textOf = (format: MappingFormat, of = images): string => renderMapping(format, of).files[0]?.text ?? "";

describe("a mapping", () => {
  test("as JSON and YAML is a map of references", () => {
    const map = {
      "docker.io/library/busybox:1.36": "r.example/mirror/library/busybox:1.36",
      "docker.io/library/busybox:1.36.1": "r.example/mirror/library/busybox:1.36.1",
      "registry.k8s.io/e2e-test-images/agnhost:2.53": "r.example/mirror/e2e-test-images/agnhost:2.53",
      "registry.k8s.io/pause:3.10": "r.example/mirror/k8s/pause:3.10",
    };
    expect(JSON.parse(textOf("json"))).toEqual(map);
    expect(parse(textOf("yaml"))).toEqual(map);
    expect(textOf("json")).toBe(textOf("json", images.toReversed()));
  });

  test("as a repo list names places, and says what it cannot", () => {
    const { files, notices } = renderMapping("kube-test-repo-list", [
      ...images,
      { from: "registry.k8s.io/etcd", to: "r.example/other/etcd", tags: ["3.6"] },
      { from: "registry.k8s.io/sig-storage/nfs", to: "r.example/mirror/nfs-server", tags: ["1"] },
      { from: "quay.example/app", to: "r.example/mirror/app", tags: ["1"] },
    ]);
    expect(files[0]?.text).toBe(`dockerLibraryRegistry: r.example/mirror/library
gcEtcdRegistry: r.example/other
gcRegistry: r.example/other
promoterE2eRegistry: r.example/mirror/e2e-test-images
`);
    expect(notices).toEqual([
      "quay.example/app: no key of a repo list stands for where it is",
      "registry.k8s.io/pause: gcRegistry is r.example/other already, and this image is in r.example/mirror/k8s",
      "registry.k8s.io/pause: gcEtcdRegistry is r.example/other already, and this image is in r.example/mirror/k8s",
      expect.stringContaining("r.example/mirror/nfs-server does not end in nfs; to map it, write to: nfs"),
    ]);
    expect(textOf("kube-test-repo-list", [])).toBe("{}\n");
  });

  test("as registries.conf has a mirror for each image", () => {
    const local = { from: "quay.example/app", to: "127.0.0.1:5000/app", tags: ["1"] };
    expect(textOf("registries.conf", [...images.slice(1, 2), local])).toBe(`[[registry]]
prefix = "docker.io/library/busybox"
location = "docker.io/library/busybox"

[[registry.mirror]]
location = "r.example/mirror/library/busybox"

[[registry]]
prefix = "quay.example/app"
location = "quay.example/app"

[[registry.mirror]]
location = "127.0.0.1:5000/app"
insecure = true
`);
  });

  test("as hosts.toml is in a folder for each registry, for images that keep their names", () => {
    const { files, notices } = renderMapping("hosts.toml", images);
    expect(files.map(({ path }) => path)).toEqual(["docker.io/hosts.toml", "registry.k8s.io/hosts.toml"]);
    expect(files[0]?.text).toBe(`server = "https://registry-1.docker.io"

[host."https://r.example/v2/mirror"]
  capabilities = ["pull", "resolve"]
  override_path = true
`);
    expect(files[1]?.text).toContain('[host."https://r.example/v2/mirror/k8s"]');
    expect(notices).toEqual([]);
    const renamed = { from: "quay.example/team/app", to: "r.example/app", tags: ["1"] };
    expect(renderMapping("hosts.toml", [renamed])).toEqual({
      files: [],
      notices: [expect.stringContaining("r.example/app does not end in team/app")],
    });
  });

  test("to folders can be said by references only", () => {
    const folder = [{ from: "docker.io/library/busybox", to: "oci:out/mirror/busybox", tags: ["1"] }];
    expect(JSON.parse(textOf("json", folder))).toEqual({ "docker.io/library/busybox:1": "oci:out/mirror/busybox:1" });
    for (const format of ["kube-test-repo-list", "registries.conf", "hosts.toml"] as const)
      expect(() => renderMapping(format, folder)).toThrow(
        /names registries, and oci:out\/mirror\/busybox is in a folder/,
      );
  });
});
