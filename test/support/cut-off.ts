import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import type { CliResult } from "./cli.ts";
import { toolPath } from "./tools.ts";

/** Where the registry beside a call that is cut off listens. */
export const cutOffHost = "127.0.0.1:5000";

/** How a call ended that was cut off, and which network it had. */
export interface CutOffResult extends CliResult {
  /** Names of the network links, and all routes. */
  readonly links: readonly string[];
  readonly routes: string;
}

const program = new URL("../../scripts/refoundry", import.meta.url).pathname;

/** Loopback comes up, a registry serves a folder on it, and then the command runs. */
const script = `set -eu
facts=$1 registry=$2 config=$3; shift 3
ip link set lo up
ip -o link show > "$facts/links"
ip route show table all type unicast > "$facts/routes"
"$registry" serve "$config" > "$facts/registry" 2>&1 &
trap 'kill %1' EXIT
for _ in $(seq 200); do (exec 3<>/dev/tcp/127.0.0.1/5000) 2>/dev/null && break; sleep 0.05; done
"$@"`;

/**
 * Calls refoundry in a network namespace of its own, in which there is loopback, a registry on
 * it with what the folder `storage` holds, and nothing else. Throws where no namespace can be
 * made: the test then proves nothing, and does not pass.
 */
export async function refoundryCutOff(
  args: readonly string[],
  {
    storage,
    cwd,
    env,
  }: { readonly storage: string; readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Promise<CutOffResult> {
  const namespace = process.getuid?.() === 0 ? ["--net"] : ["--user", "--map-root-user", "--net"];
  const tried = await execa(toolPath("unshare"), [...namespace, "--", "ip", "link", "set", "lo", "up"], {
    reject: false,
  });
  if (tried.exitCode !== 0)
    throw new Error(
      `this test makes a network namespace, and cannot here: run it as root, or allow user namespaces (sysctl kernel.unprivileged_userns_clone=1), with util-linux and iproute2 installed\n${tried.stderr}`,
    );
  const facts = await mkdtemp(join(tmpdir(), "refoundry-cut-off-"));
  try {
    const config = join(facts, "config.yml");
    await writeFile(
      config,
      JSON.stringify({
        version: 0.1,
        storage: { filesystem: { rootdirectory: storage } },
        http: { addr: cutOffHost, secret: "shared by nobody" },
      }),
    );
    const command = ["bash", "-c", script, "bash", facts, toolPath("docker-registry"), config, program, ...args];
    const { exitCode, stdout, stderr } = await execa(toolPath("unshare"), [...namespace, "--", ...command], {
      cwd,
      env,
      reject: false,
      stdin: "ignore",
    });
    const links = (await readFile(join(facts, "links"), "utf8")).trim().split("\n");
    const routes = (await readFile(join(facts, "routes"), "utf8")).replaceAll(/^.*\bdev lo\b.*$/gm, "").trim();
    return { exitCode: exitCode ?? -1, stdout, stderr, links: links.map((line) => line.split(": ")[1] ?? ""), routes };
  } finally {
    await rm(facts, { recursive: true, force: true });
  }
}
