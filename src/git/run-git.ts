import { simpleGit } from "simple-git";
import { runChecked } from "../process/run.ts";
import { infrastructureError, interrupted, messageOf } from "../errors.ts";
import { openOutput } from "../process/output.ts";

/** Runs git in one repository and gives its standard output. Throws when git fails, with what it said. */
export type Git = (
  args: readonly string[],
  options?: {
    readonly env?: Readonly<Record<string, string>>;
    readonly input?: string;
    /**
     * It talks to a server and prints little. The program that git runs for https can hang
     * on its server, and then outlives git: it is ended with it.
     */
    readonly remote?: boolean;
  },
) => Promise<string>;

/** Nothing of the user's configuration takes part, nothing is asked for, only these transports run. */
const fixedEnvironment = {
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_SYSTEM: "/dev/null",
  GIT_TERMINAL_PROMPT: "0",
  GIT_ALLOW_PROTOCOL: "https:ssh:file",
  LC_ALL: "C",
};

const inherited = [
  "HOME",
  "PATH",
  "USER",
  "TMPDIR",
  "SSH_AUTH_SOCK",
  "GIT_SSL_CAINFO",
  "GIT_SSH_COMMAND",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
];
const proxies = [
  "http_proxy",
  "https_proxy",
  "no_proxy",
  "all_proxy",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "ALL_PROXY",
];
const perCall = [
  "GIT_DIR",
  "GIT_INDEX_FILE",
  "GIT_WORK_TREE",
  "GIT_AUTHOR_NAME",
  "GIT_AUTHOR_EMAIL",
  "GIT_AUTHOR_DATE",
  "GIT_COMMITTER_NAME",
  "GIT_COMMITTER_EMAIL",
  "GIT_COMMITTER_DATE",
];

const configuration = [
  "core.autocrlf=false",
  "core.symlinks=true",
  "core.fileMode=true",
  "core.fsmonitor=false",
  "transfer.fsckObjects=true",
  "fetch.recurseSubmodules=false",
  "gc.auto=0",
  "maintenance.auto=false",
  "protocol.version=2",
  // a server that sends nothing for five minutes sends nothing any more
  "http.lowSpeedLimit=1",
  "http.lowSpeedTime=300",
];

/** What git sees of the environment. */
function environmentOf(repository: string): Record<string, string> {
  const ambient = Object.fromEntries(
    [...inherited, ...proxies].flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
  return { GIT_SSH_COMMAND: "ssh -oBatchMode=yes", ...ambient, ...fixedEnvironment, GIT_DIR: repository };
}

/** Output of git that is not text, as a stream: see {@link openOutput}. */
export function openGitOutput(
  repository: string,
  args: readonly string[],
  options: { readonly input: string; readonly signal?: AbortSignal },
): AsyncGenerator<Uint8Array> {
  const env = environmentOf(repository);
  const ownEnvironment = Object.fromEntries(Object.keys(process.env).map((name) => [name, env[name]]));
  const settings = configuration.flatMap((setting) => ["-c", setting]);
  const command = { file: "git", args: [...settings, ...args], env: { ...ownEnvironment, ...env }, ...options };
  return openOutput({ ...command, timeoutSeconds: 3600 }, `git ${args[0]}`);
}

/** git for one repository folder. */
export function createGit(repository: string, signal?: AbortSignal): Git {
  return async (args, options = {}) => {
    if (signal?.aborted) throw interrupted();
    const env = { ...environmentOf(repository), ...options.env };
    if (options.remote) return runRemote(args, env, repository, signal);
    const git = simpleGit({
      baseDir: repository,
      config: configuration,
      ...(signal && { abort: signal }),
      ...(options.input !== undefined && { input: () => options.input }),
      allowEnvironment: [...Object.keys(fixedEnvironment), ...inherited, ...perCall],
      // the values are ours, not a recipe's
      unsafe: {
        allowUnsafeConfigPaths: true,
        allowUnsafeProtocolOverride: true,
        allowUnsafeSshCommand: true,
        allowUnsafeFsMonitor: true,
      },
      // without a handler a failure that says nothing on standard error counts as success
      errors: (error, result) =>
        error ??
        (result.exitCode === 0
          ? undefined
          : Buffer.from(
              `git ended with exit code ${result.exitCode}: ${Buffer.concat(result.stdErr).toString("utf8").slice(-2000)}`,
            )),
      timeout: { block: 600_000 },
      // else every call waits a moment longer than git ran
      completion: { onClose: true, onExit: false },
    });
    try {
      return await git.env(env).raw([...args]);
    } catch (cause) {
      if (signal?.aborted) throw interrupted();
      throw infrastructureError(`git ${args[0]} failed: ${messageOf(cause).trim()}`, { cause });
    }
  };
}

/** Bytes that are kept of what a server names: some hundred thousand refs. */
const mostListed = 64 * 1024 * 1024;

async function runRemote(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  repository: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  // nothing of our own environment but what is in `env`
  const cleared = Object.fromEntries(Object.keys(process.env).map((name) => [name, undefined]));
  const lines: string[] = [];
  let size = 0;
  await runChecked(
    {
      file: "git",
      args: [...configuration.flatMap((setting) => ["-c", setting]), ...args],
      env: { ...cleared, ...env },
      cwd: repository,
      timeoutSeconds: 3600,
      onStdoutLine: (line) => {
        size += line.length + 1;
        if (size <= mostListed) lines.push(line);
      },
      ...(signal && { signal }),
    },
    `git ${args[0]} failed`,
  );
  return lines.join("\n");
}
