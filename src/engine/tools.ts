import type { ToolSet } from "../debian/unpack-tools.ts";

/** The embedded engine: dockerd with BuildKit inside, buildx, containerd and runc. */
export const engineTools: ToolSet = {
  name: "docker",
  choices: [
    ["docker.io/forky", "docker-cli/forky", "containerd/forky", "docker-buildx/forky", "runc/bookworm"],
    ["docker.io/trixie", "docker-cli/trixie", "containerd/trixie", "docker-buildx/trixie", "runc/bookworm"],
  ],
  check: ["usr/sbin/dockerd", "usr/bin/docker", "usr/bin/containerd", "usr/sbin/runc"],
};

/** User-mode emulators, statically linked; older ones lack instructions that today's libc uses on loong64. */
export const emulationTools: ToolSet = {
  name: "qemu",
  choices: [["qemu-user/trixie", "qemu-user-binfmt/trixie"], ["qemu-user-static/bookworm"]],
  // static programs; the names that the kernel starts them by refuse to be started otherwise
  check: [],
};

/** Where buildx is in the unpacked engine, relative to its root. */
export const buildxPlugin = "usr/libexec/docker/cli-plugins/docker-buildx";
