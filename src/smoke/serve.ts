import { usageError } from "../errors.ts";
import type { PlatformName } from "../oci/platform.ts";
import type { Recipe } from "../recipe/schema.ts";

/** Where the root that clients come from is mounted while a server is tested. */
export const clientFolder = "/.refoundry-clients";

/** Debian's folder of libraries for a platform, and the program in it that starts others. */
const loaders: Readonly<Record<PlatformName, readonly [folder: string, loader: string]>> = {
  "linux/amd64": ["x86_64-linux-gnu", "ld-linux-x86-64.so.2"],
  "linux/arm64": ["aarch64-linux-gnu", "ld-linux-aarch64.so.1"],
};

/** Begins what a test of a server that is process 1 prints, if the client ended well. */
export const clientSucceeded = "the client ended well";

/**
 * Starts the server ($ARGV[1] counts its words), tries the client until it ends well or the
 * time ($ARGV[0], seconds) is up, then stops the server. What the server prints goes to
 * standard error. Perl, because every Debian root has it; no module is loaded.
 */
const supervisor = [
  "my ($limit, $count, @words) = @ARGV; my @server = splice @words, 0, $count;",
  "my $until = time + $limit;",
  "my $pid = fork // die qq(fork: $!\\n);",
  "if ($pid == 0) { open STDOUT, '>&', STDERR; exec { $server[0] } @server or die qq(cannot start $server[0]: $!\\n) }",
  "my $said = ''; my $status = -1;",
  "while (time < $until) {",
  "  if (waitpid($pid, 1) == $pid) { my $code = $? >> 8; die qq(the server ended with exit code $code before a client could speak to it\\n) }",
  "  my $client = open(my $out, '-|') // die qq(fork: $!\\n);",
  "  if ($client == 0) { exec { $words[0] } @words or die qq(cannot start $words[0]: $!\\n) }",
  "  $said = join '', <$out>; close $out; $status = $?; last if $status == 0;",
  "  select undef, undef, undef, 0.25;",
  "}",
  "print $said;",
  "kill 'TERM', $pid; for (1 .. 20) { last if waitpid($pid, 1) == $pid; select undef, undef, undef, 0.1 } kill 'KILL', $pid;",
  "if ($status != 0) { print STDERR qq(the client did not succeed within $limit seconds\\n); exit 1 } exit 0;",
].join(" ");

/**
 * The same for a server that is to be process 1: it takes the supervisor's place, and a
 * child of that tries the client and tells the server to end. The exit code is the server's,
 * so that the client's success is said in a first line on standard output, which is the
 * child's alone.
 */
const supervisorOfInit = [
  "my ($limit, $count, @words) = @ARGV; my @server = splice @words, 0, $count;",
  "$$ == 1 or die qq(a step of this builder is not process 1: it has no PID namespace of its own\\n);",
  "my $until = time + $limit; pipe my $started, my $starting or die qq(pipe: $!\\n);",
  "my $child = fork // die qq(fork: $!\\n);",
  "if ($child) { open STDOUT, '>&', STDERR; exec { $server[0] } @server or die qq(cannot start $server[0]: $!\\n) }",
  // the server's end of the pipe is closed when it is started
  "close $starting; readline $started; $| = 1;",
  "while (time < $until) {",
  "  my $client = open(my $out, '-|') // die qq(fork: $!\\n);",
  "  if ($client == 0) { exec { $words[0] } @words or die qq(cannot start $words[0]: $!\\n) }",
  "  my $said = join '', <$out>; close $out;",
  `  if ($? == 0) { print qq(${clientSucceeded}\\n$said); kill 'TERM', 1; sleep 10; die qq(the server did not end within 10 seconds of SIGTERM\\n) }`,
  "  select undef, undef, undef, 0.25;",
  "}",
  "print STDERR qq(the client did not succeed within $limit seconds\\n); kill 'TERM', 1;",
].join(" ");

/** How long the client is tried: a virtual machine for Java starts a server in seconds, and emulated in minutes. */
const limitSeconds = { native: 60, emulated: 300 };
const endSeconds = 60;

/** How long a smoke test's command may take: to try a client as long as it is tried, and to end. */
export function longestSeconds(smoke: Recipe["smoke"][number], emulated: boolean): number {
  return endSeconds + ("serve" in smoke ? limitSeconds[emulated ? "emulated" : "native"] : 60);
}

/**
 * The command that runs a program of the mounted root in an image, with that root's own
 * loader and libraries, so that the image needs neither. Throws a usage error for a root
 * of a platform whose loader is not known.
 */
export function clientCommand([program = "", ...args]: readonly string[], platform: PlatformName): readonly string[] {
  const [folder, loader] = loaders[platform] ?? [];
  if (folder === undefined || loader === undefined)
    throw usageError(`clients of a smoke test cannot come from an image for ${platform}`, {
      hint: `use one for ${Object.keys(loaders).join(" or ")}`,
    });
  const below = (path: string): string => `${clientFolder}${path}`;
  const libraries = [`/lib/${folder}`, `/usr/lib/${folder}`].map(below).join(":");
  return [below(`/lib/${folder}/${loader}`), "--library-path", libraries, below(program), ...args];
}

/**
 * The command that tests a server in an image: a supervisor of the mounted root starts it
 * and the client, which is of that root too unless it has no `in`. `platform` is the root's;
 * the image's may be another, `emulated`. Throws as {@link clientCommand} does.
 */
export function serveCommand(
  { serve, client, init, in: context }: Extract<Recipe["smoke"][number], { serve: unknown }>,
  platform: PlatformName,
  emulated: boolean,
): readonly string[] {
  const tried = context === undefined ? client : clientCommand(client, platform);
  const limit = limitSeconds[emulated ? "emulated" : "native"];
  const words = ["-e", init ? supervisorOfInit : supervisor, String(limit), String(serve.length), ...serve, ...tried];
  return clientCommand(["/usr/bin/perl", ...words], platform);
}
