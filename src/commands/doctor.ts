import { statfs } from "node:fs/promises";
import { findMachineMirror } from "../debian/machine-mirror.ts";
import { findTools } from "../debian/unpack-tools.ts";
import { registeredEmulators } from "../engine/emulation.ts";
import { probeDocker, problemsOf } from "../engine/machine-docker.ts";
import { engineTools } from "../engine/tools.ts";
import { messageOf } from "../errors.ts";
import { run } from "../process/run.ts";
import { readSettings, type Settings } from "../settings.ts";
import { ensureLayout } from "../oci/layout.ts";
import { join } from "node:path";
import { type CliContext, type CommonFlags, runCommand } from "./context.ts";

interface Check {
  readonly name: string;
  readonly state: "ok" | "warning" | "problem";
  readonly finding: string;
  /** What to do; absent when all is well. */
  readonly advice?: string;
}

/** `refoundry doctor` */
export function doctor(this: CliContext, flags: CommonFlags): Promise<void> {
  return runCommand(this, flags, async () => {
    const settings = readSettings(this.process.env);
    const checks = [
      ...(await checkEngine(settings)),
      await checkEmulation(),
      await checkMirror(settings),
      await checkGit(),
      await checkStore(settings),
    ];
    const marks = { ok: "✓", warning: "!", problem: "✗" } as const;
    const lines = checks.flatMap((check) => [
      `${marks[check.state]} ${check.name}: ${check.finding}`,
      ...(check.advice ? [`    ${check.advice}`] : []),
    ]);
    const exitCode = checks.some((check) => check.state === "problem") ? 3 : 0;
    return { text: lines.join("\n"), document: { schema: "refoundry/doctor/v1", checks }, exitCode };
  });
}

async function checkEngine(settings: Settings): Promise<Check[]> {
  if (settings.engine !== "embedded") {
    const probe = await probeDocker("docker", {}, settings.builder);
    if (probe.serverVersion !== undefined) {
      const problems = problemsOf(probe);
      const builder = probe.builder
        ? `, builder ${probe.builder.driver} for ${probe.builder.platforms.join(", ")}`
        : "";
      const found: Check = {
        name: "engine",
        state: problems.length === 0 ? "ok" : "problem",
        finding: `Docker ${probe.serverVersion}${builder}`,
      };
      return [
        found,
        ...problems.map(
          (advice): Check => ({ name: "engine", state: "problem", finding: "cannot be used as it is", advice }),
        ),
      ];
    }
    if (settings.engine === "docker") {
      return [
        {
          name: "engine",
          state: "problem",
          finding: "REFOUNDRY_ENGINE is docker, and no Docker engine answers",
          advice: "start Docker, or unset REFOUNDRY_ENGINE",
        },
      ];
    }
  }
  const unpacked = await findTools(join(settings.cache, "tools"), engineTools);
  if (unpacked)
    return [
      { name: "engine", state: "ok", finding: `embedded, ${unpacked.versions["docker.io"]}, in ${unpacked.root}` },
    ];
  const apt = await run({ file: "apt-get", args: ["--version"] }).catch(() => undefined);
  const root = process.getuid?.() === 0;
  if (apt?.exitCode === 0 && root)
    return [
      {
        name: "engine",
        state: "ok",
        finding: "no Docker answers; the embedded engine will be unpacked when it is first needed",
      },
    ];
  return [
    {
      name: "engine",
      state: "problem",
      finding: `no Docker answers, and the embedded engine needs ${root ? "apt" : "root"}`,
      advice: "install Docker with buildx and start it; docker info must work",
    },
  ];
}

async function checkEmulation(): Promise<Check> {
  if (process.platform !== "linux") return { name: "emulation", state: "ok", finding: "left to Docker" };
  const found = await registeredEmulators();
  if (found.length > 0) return { name: "emulation", state: "ok", finding: found.join(", ") };
  return {
    name: "emulation",
    state: "warning",
    finding: "no emulator is registered; the embedded engine brings its own",
    advice: "with Docker, install qemu-user-static and binfmt-support, or use remote builders for other platforms",
  };
}

async function checkMirror(settings: Settings): Promise<Check> {
  try {
    return { name: "Debian mirror", state: "ok", finding: settings.debianMirror ?? (await findMachineMirror()) };
  } catch (error) {
    return { name: "Debian mirror", state: "warning", finding: messageOf(error) };
  }
}

async function checkGit(): Promise<Check> {
  const found = await run({ file: "git", args: ["--version"] }).catch(() => undefined);
  if (found?.exitCode === 0) return { name: "git", state: "ok", finding: found.stdout.trim() };
  return { name: "git", state: "problem", finding: "git does not start", advice: "install git 2.30 or later" };
}

async function checkStore(settings: Settings): Promise<Check> {
  try {
    await ensureLayout(settings.store);
    const { bavail, bsize } = await statfs(settings.store);
    const free = (bavail * bsize) / 1e9;
    const finding = `${settings.store}, ${free.toFixed(0)} GB free`;
    return free < 10
      ? {
          name: "store",
          state: "warning",
          finding,
          advice: "toolchains and builds want 10 GB; move it with REFOUNDRY_STORE",
        }
      : { name: "store", state: "ok", finding };
  } catch (error) {
    return {
      name: "store",
      state: "problem",
      finding: messageOf(error),
      advice: "choose another folder with REFOUNDRY_STORE",
    };
  }
}
