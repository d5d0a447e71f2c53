import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { execa } from "execa";
import { onTestFinished } from "vitest";
import { type TarInput, tarEntries } from "../../src/oci/tar/write.ts";
import { temporaryFolder } from "./temporary.ts";

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A package of a snapshot service, with its files by path below a mirror's root. */
export interface ArchivedPackage {
  readonly kind: "binary" | "package";
  readonly name: string;
  readonly version: string;
  readonly files: Readonly<Record<string, Uint8Array>>;
}

/** A server that speaks the machine-usable interface of Debian's snapshot service; gives its address. */
export async function serveSnapshots(packages: readonly ArchivedPackage[]): Promise<string> {
  const sha1 = (bytes: Uint8Array): string => createHash("sha1").update(bytes).digest("hex");
  const byHash = new Map(
    packages.flatMap(({ files }) => Object.values(files).map((bytes) => [sha1(bytes), bytes] as const)),
  );
  const answer = (path: string): object | undefined => {
    const [, kind, name, version] =
      /^\/mr\/(binary|package)\/([^/]+)\/(?:([^/]+)\/(?:binfiles|srcfiles))?$/.exec(path) ?? [];
    const named = packages.filter((each) => each.kind === kind && each.name === name);
    if (named.length === 0) return undefined;
    if (version === undefined)
      return {
        result: named.map((each) =>
          kind === "binary" ? { binary_version: each.version, name, source: name } : { version: each.version },
        ),
      };
    const found = named.find((each) => each.version === version);
    if (!found) return undefined;
    const files = Object.entries(found.files);
    return {
      result: files.map(([, bytes]) => ({ hash: sha1(bytes) })),
      fileinfo: Object.fromEntries(
        files.map(([file, bytes]) => {
          const at = file.lastIndexOf("/");
          const place = { name: file.slice(at + 1), path: `/${file.slice(0, at)}`, size: bytes.length };
          return [sha1(bytes), [{ ...place, archive_name: "debian", first_seen: "20200101T000000Z" }]];
        }),
      ),
    };
  };
  return listen(
    createServer((request, response) => {
      const { pathname } = new URL(request.url ?? "/", "http://x");
      const path = decodeURIComponent(pathname);
      const bytes = byHash.get(path.replace("/file/", ""));
      const document = bytes ?? (path.startsWith("/mr/") ? answer(path) : undefined);
      response.writeHead(document ? 200 : 404);
      response.end(document instanceof Uint8Array ? document : JSON.stringify(document ?? {}));
    }),
  );
}

/**
 * A server that speaks the API of Software Heritage's vault for the commits of a git
 * repository: it puts a bare repository together when asked, and says "pending" for a while.
 */
export async function serveVault(repository: string, change: (tar: Buffer) => Buffer = (tar) => tar): Promise<string> {
  const asked = new Map<string, number>();
  const bareTar = async (commit: string): Promise<Buffer> => {
    const folder = join(await temporaryFolder(), `${commit}.git`);
    await execa("git", ["clone", "--quiet", "--bare", "--no-local", repository, folder]);
    await execa("git", ["-C", folder, "repack", "-a", "-d", "--quiet"]);
    const names = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    const common = { uid: 0, gid: 0, mtime: 0, mode: 0o644 };
    const entries = await Promise.all(
      names.map(async (entry): Promise<TarInput> => {
        const content = await readFile(join(entry.parentPath, entry.name));
        const path = `swh:1:rev:${commit}.git/${join(entry.parentPath, entry.name).slice(folder.length + 1)}`;
        return { ...common, type: "file", path, size: content.length, content };
      }),
    );
    return Buffer.concat(await Array.fromAsync(tarEntries(entries)));
  };
  const { stdout } = await execa("git", ["-C", repository, "rev-list", "--all"]);
  const commits = new Set(stdout.split("\n"));
  const address = await listen(
    createServer((request, response) => {
      void (async () => {
        const path = decodeURIComponent(request.url ?? "");
        const [, commit = "", raw] = /^\/api\/1\/vault\/git-bare\/swh:1:rev:([0-9a-f]{40})\/(raw\/)?$/.exec(path) ?? [];
        if (!commits.has(commit)) return response.writeHead(404).end(JSON.stringify({ exception: "NotFoundExc" }));
        const times = asked.get(commit);
        if (raw === undefined && request.method === "POST") asked.set(commit, 0);
        else if (times === undefined) return response.writeHead(404).end("{}");
        else asked.set(commit, times + 1);
        if (raw !== undefined) return response.writeHead(200).end(change(await bareTar(commit)));
        const isDone = (asked.get(commit) ?? 0) > 0;
        response.writeHead(200, { "content-type": "application/json" });
        return response.end(
          JSON.stringify({
            swhid: `swh:1:rev:${commit}`,
            id: 1,
            status: isDone ? "done" : "new",
            progress_message: isDone ? null : "Processing...",
            fetch_url: `${address}/api/1/vault/git-bare/swh:1:rev:${commit}/raw/`,
          }),
        );
      })().catch(() => response.destroy());
    }),
  );
  return address;
}
