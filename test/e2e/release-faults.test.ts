import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ImageVerification, verifyImage } from "../../src/attest/verify-image.ts";
import type { CliContext } from "../../src/commands/context.ts";
import { withFactory } from "../../src/commands/factory.ts";
import { loadInputs } from "../../src/commands/rebuild-one.ts";
import { RefoundryError } from "../../src/errors.ts";
import { parseReference } from "../../src/oci/reference.ts";
import { createRegistryClient, type RegistryClient } from "../../src/oci/registry/client.ts";
import type { Repository } from "../../src/oci/repository.ts";
import type { Outcome } from "../../src/outcome.ts";
import { rebuildRelease } from "../../src/rebuild/rebuild-release.ts";
import type { Factory } from "../../src/rebuild/types.ts";
import { refoundry } from "../support/cli.ts";
import { startFaultyProxy } from "../support/faulty-proxy.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { createTinyFactory, type TinyFactory } from "../support/tiny-factory.ts";

const runs = Number(process.env["REFOUNDRY_FAULT_RUNS"] ?? 6);
// a run that needs more than this many starts does not converge
const mostAttempts = 40;

const timeouts = { answer: 1, commit: 1, body: 1 };

let folder: string;
let registry: TestRegistry;
let factory: TinyFactory;
let env: Record<string, string>;
let expected: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "refoundry-e2e-"));
  registry = await startRegistry();
  factory = await createTinyFactory(folder, registry.host);
  env = { REFOUNDRY_STORE: join(folder, "store"), DOCKER_CONFIG: join(folder, "docker") };
  expect(await refoundry(["pin", "hello", "1.0"], { cwd: factory.root, env })).toMatchObject({ exitCode: 0 });
  const built = await refoundry(["rebuild", "hello", "--json"], { cwd: factory.root, env });
  expected = (JSON.parse(built.stdout) as Outcome).index?.digest ?? "";
});

afterAll(async () => {
  await registry?.stop();
  await rm(folder, { recursive: true, force: true });
});

function contextOf(signal: AbortSignal): CliContext {
  const stream = { isTTY: false, write: () => true, on: () => stream, once: () => stream, columns: 80 };
  const output = stream as unknown as NodeJS.WriteStream;
  return {
    process: { stdout: output, stderr: output, env: { ...process.env, ...env } },
    cwd: factory.root,
    signal,
  };
}

/** The whole release once more, with its builds in the store, to `name`. */
async function release(context: CliContext, shared: Factory, registryClient: RegistryClient, name: string) {
  const reference = parseReference(name);
  if (reference.kind !== "registry") throw new Error(name);
  const now = new Date().toISOString();
  return rebuildRelease(
    {
      inputs: await loadInputs(context, "hello"),
      force: false,
      build: "never",
      destination: { kind: "registry", reference, name: `${name}:1.0` },
      report: "report.html",
      startedAt: now,
      today: now.slice(0, 10),
    },
    { ...shared, registry: registryClient },
  );
}

/** What is attached to each subject, in words. */
async function listProofs(from: Repository, { subjects }: ImageVerification): Promise<string[]> {
  const listed = await Promise.all(
    subjects.map(async ({ digest }) =>
      (await from.listReferrers(digest)).map(({ artifactType, annotations = {} }) => {
        const name = annotations["dev.sigstore.bundle.predicateType"] ?? annotations["org.opencontainers.image.title"];
        return `${digest} ${artifactType} ${name}`;
      }),
    ),
  );
  return listed.flat().toSorted();
}

test(`through ${runs} seeded runs of faults, reruns converge: same digests, all proofs there, no tag before its time`, {
  timeout: 60_000 + runs * 30_000,
}, async () => {
  const context = contextOf(new AbortController().signal);
  const direct = createRegistryClient({ env });
  const counts = { attempts: 0, faults: 0 };
  await withFactory(context, async (shared) => {
    const { publicKey } = await shared.signer();
    const trusted = { keys: publicKey ? [{ name: "we", publicKey }] : [] };
    await release(context, shared, direct, `${registry.host}/faults/none`);
    const calm = direct.repository({ host: registry.host, repository: "faults/none" });
    const { descriptor } = await calm.resolve("1.0");
    const proofs = await listProofs(
      calm,
      await verifyImage("it", calm, descriptor, trusted, { require: "equivalent" }),
    );
    expect(proofs.length).toBeGreaterThan(12);
    for (let seed = 1; seed <= runs; seed++) {
      const proxy = await startFaultyProxy({ behind: registry.host, seed, rate: 0.06 });
      const repository = `faults/hello-${seed}`;
      const straight = direct.repository({ host: registry.host, repository });
      try {
        for (let attempt = 1; ; attempt++) {
          expect(attempt, `seed ${seed} does not converge`).toBeLessThan(mostAttempts);
          counts.attempts++;
          const client = createRegistryClient({ env, retry: { retries: 2, firstDelay: 1, longestWait: 1 }, timeouts });
          const outcome = await release(context, shared, client, `${proxy.host}/${repository}`)
            .catch((error: unknown) => {
              // what a registry does is never a defect of ours, nor a mismatch
              expect(error, `seed ${seed}`).toBeInstanceOf(RefoundryError);
              expect((error as RefoundryError).kind, String(error)).toBe("infrastructure");
              return undefined;
            })
            .finally(() => client.close());
          const tagged = await straight.find("1.0");
          if (outcome) {
            expect(outcome.index?.digest).toBe(expected);
            expect(tagged?.digest).toBe(expected);
          }
          if (tagged) {
            const verification = await verifyImage("it", straight, tagged, trusted, { require: "equivalent" });
            expect(verification, `seed ${seed}`).toMatchObject({ verified: true });
            // a lost answer may have left a proof that was then made once more; none is missing
            expect(await listProofs(straight, verification)).toEqual(expect.arrayContaining(proofs));
          }
          if (outcome) break;
        }
      } finally {
        counts.faults += proxy.faults.length;
        await proxy.stop();
      }
    }
  });
  await direct.close();
  expect(counts.faults).toBeGreaterThan(runs);
});
