import { resolve } from "node:path";
import { embeddedEngine, embeddedStatus, pinEmbeddedEngine, stopEmbeddedEngine } from "../engine/embedded.ts";
import { readSettings } from "../settings.ts";
import { type CliContext, type CommonFlags, runCommand } from "./context.ts";
import { withFactory } from "./factory.ts";

/** Flags of `refoundry engine`. */
export interface EngineFlags extends CommonFlags {
  readonly root?: string;
  readonly hostNetwork?: boolean;
}

function rootOf(context: CliContext, flags: EngineFlags): string {
  return flags.root === undefined ? readSettings(context.process.env).engineRoot : resolve(context.cwd, flags.root);
}

/** `refoundry engine up` */
export function up(this: CliContext, flags: EngineFlags): Promise<void> {
  return runCommand(this, flags, () =>
    withFactory(this, async (factory) => {
      const root = rootOf(this, flags);
      const handle = await embeddedEngine({ root, network: flags.hostNetwork ? "host" : "isolated" }, factory);
      const engine = await handle.acquire(this.signal);
      await pinEmbeddedEngine(root);
      await engine.release();
      const { socket } = await embeddedStatus(root);
      return {
        text: `${engine.builderVersion} is running; DOCKER_HOST=unix://${socket}`,
        document: {
          schema: "refoundry/engine/v1",
          running: true,
          root,
          socket,
          docker: engine.docker,
          builder: engine.builderVersion,
          platforms: engine.platforms,
        },
        exitCode: 0,
      };
    }),
  );
}

/** `refoundry engine down` */
export function down(this: CliContext, flags: EngineFlags): Promise<void> {
  return runCommand(this, flags, async () => {
    const root = rootOf(this, flags);
    const ran = await stopEmbeddedEngine(root);
    return {
      text: ran ? "the embedded engine is stopped" : "no embedded engine was running",
      document: { schema: "refoundry/engine/v1", running: false, root, ran },
      exitCode: 0,
    };
  });
}

/** `refoundry engine status` */
export function status(this: CliContext, flags: EngineFlags): Promise<void> {
  return runCommand(this, flags, async () => {
    const root = rootOf(this, flags);
    const state = await embeddedStatus(root);
    const text = state.running ? `running, ${state.users} users; DOCKER_HOST=unix://${state.socket}` : "not running";
    return { text, document: { schema: "refoundry/engine/v1", root, ...state }, exitCode: 0 };
  });
}
