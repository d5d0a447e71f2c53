// Makes a fresh clone ready: the right Node and the locked dependencies. Plain JavaScript
// with no dependency, because it runs before there is either; any Node from 18 on will do.
import { execFileSync } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, isAbsolute, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const oldestMajor = 24;
const say = (message) => process.stderr.write(`set-up: ${message}\n`);

try {
  const node = ensureNode();
  ensureDependencies(node);
  ensureLibrary(node);
} catch (error) {
  say(`failed: ${error.message}`);
  process.exit(3);
}

function cacheFolder() {
  const { REFOUNDRY_CACHE: own, XDG_CACHE_HOME: xdg } = process.env;
  if (own) return resolve(own);
  return join(xdg && isAbsolute(xdg) ? xdg : join(homedir(), ".cache"), "refoundry");
}

/** The path of a Node that is new enough: the one that runs this, or one from the npm registry. */
function ensureNode() {
  if (Number(process.versions.node.split(".")[0]) >= oldestMajor) return process.execPath;
  const { version, packages } = JSON.parse(readFileSync(join(root, "scripts/node-runtime.json"), "utf8"));
  const wanted = packages[`${process.platform}-${process.arch}`];
  if (!wanted) {
    throw new Error(
      `this is Node ${process.versions.node}, and Node ${oldestMajor} or later is needed; install one for ${process.platform} ${process.arch}`,
    );
  }
  const folder = join(cacheFolder(), "node");
  const home = join(folder, version);
  const node = join(home, "package/bin/node");
  if (existsSync(node)) return node;
  say(`this is Node ${process.versions.node}; fetching Node ${version} from the npm registry`);
  const work = join(folder, `fetch-${randomUUID()}`);
  mkdirSync(join(work, "unpacked"), { recursive: true });
  try {
    const printed = execFileSync("npm", ["pack", "--silent", `${wanted.name}@${version}`], {
      cwd: work,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
    });
    const archive = join(work, printed.trim().split("\n").at(-1));
    const integrity = `sha512-${createHash("sha512").update(readFileSync(archive)).digest("base64")}`;
    if (integrity !== wanted.integrity)
      throw new Error(`${wanted.name}@${version} is not the pinned one: its integrity is ${integrity}`);
    execFileSync("tar", ["-xzf", archive, "-C", join(work, "unpacked")]);
    if (!existsSync(node)) renameSync(join(work, "unpacked"), home);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return node;
}

/** Installs what package-lock.json says, unless that is installed. */
function ensureDependencies(node) {
  const lock = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  const marker = join(root, "node_modules/.refoundry-lock");
  if (!existsSync(marker) || readFileSync(marker, "utf8") !== lock) {
    say("installing the locked dependencies");
    const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ""}` };
    execFileSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
      cwd: root,
      env,
      stdio: ["ignore", "ignore", "inherit"],
    });
    writeFileSync(marker, lock);
  }
  // scripts/refoundry starts this Node without asking any Node for its version first
  writeFileSync(join(root, "node_modules/.refoundry-node"), node);
}

/** Compiles what `import "refoundry"` gives, unless that was done from these very sources. */
function ensureLibrary(node) {
  const sources = readdirSync(join(root, "src"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
  const hash = createHash("sha256");
  for (const path of sources) hash.update(`${path.slice(root.length)}\0`).update(readFileSync(path));
  const digest = hash.digest("hex");
  const marker = join(root, "dist/.refoundry-sources");
  if (existsSync(marker) && readFileSync(marker, "utf8") === digest) return;
  say("compiling the library");
  rmSync(join(root, "dist"), { recursive: true, force: true });
  execFileSync(
    node,
    [join(root, "node_modules/@typescript/native/bin/tsc"), "-p", join(root, "tsconfig.build.json"), "--noCheck"],
    {
      cwd: root,
      stdio: ["ignore", "inherit", "inherit"],
    },
  );
  writeFileSync(marker, digest);
}
