import { execa } from "execa";

/** How a call of the command line ended. */
export interface CliResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface CliOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

const program = new URL("../../scripts/refoundry", import.meta.url).pathname;

/** Calls refoundry as a user would, and waits. */
export async function refoundry(args: readonly string[], options: CliOptions): Promise<CliResult> {
  const { exitCode, stdout, stderr } = await startRefoundry(args, options);
  return { exitCode: exitCode ?? -1, stdout, stderr };
}

/** Starts refoundry; it ends with the tests at the latest. */
export function startRefoundry(args: readonly string[], { cwd, env }: CliOptions) {
  return execa(program, args, {
    cwd,
    ...(env && { env }),
    reject: false,
    stdin: "ignore",
    maxBuffer: 50_000_000,
  });
}
