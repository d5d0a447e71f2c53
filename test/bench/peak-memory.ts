// Runs the command line as it is and says at the end how much memory it held at most.
process.on("exit", () => {
  process.stderr.write(`peak ${process.resourceUsage().maxRSS} KiB\n`);
});
await import("../../src/cli.ts");
