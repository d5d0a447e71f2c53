import { buildApplication, buildRouteMap, run } from "@stricli/core";
import type { CliContext } from "./commands/context.ts";
import { routes } from "./commands/routes.ts";
import { exitCodeOf } from "./errors.ts";
import { version } from "./version.ts";

const application = buildApplication(
  buildRouteMap({
    routes,
    docs: {
      brief:
        "Rebuilds container images from source, compares them with upstream, releases the platforms upstream never had",
      fullDescription: `Rebuilds container images from source, compares them with upstream, releases the platforms upstream never had.

Every command has --json. Exit codes: 0 as wanted; 1 the images are not what the recipe promises; 2 usage or recipe error; 3 infrastructure (engine, network, registry); 70 a defect of refoundry; 130 interrupted.`,
    },
  }),
  {
    name: "refoundry",
    versionInfo: { currentVersion: version },
    scanner: { caseStyle: "allow-kebab-for-camel" },
    documentation: { useAliasInUsageLine: false, disableAnsiColor: !process.stdout.isTTY },
  },
);

const interrupt = new AbortController();
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(name, () => {
    // a second one means that stopping in good order takes too long
    if (interrupt.signal.aborted) process.exit(exitCodeOf("interrupted"));
    interrupt.abort();
  });
}
// a reader that goes away (head, less) is no defect
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

// progress that nobody can see any more is no reason to stop
process.stderr.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

const context: CliContext = {
  process: { stdout: process.stdout, stderr: process.stderr, env: process.env },
  cwd: process.cwd(),
  signal: interrupt.signal,
};
await run(application, process.argv.slice(2), context);
const { exitCode } = context.process;
// the parser's own codes are negative: an unknown command, flag or value
process.exitCode = typeof exitCode === "number" && exitCode < 0 ? exitCodeOf("usage") : (exitCode ?? 0);
