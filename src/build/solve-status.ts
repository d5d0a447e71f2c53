import { z } from "zod";

/** One step of a build as BuildKit reports it. */
export interface BuildStep {
  readonly name: string;
  readonly state: "started" | "done" | "cached" | "failed";
  readonly error?: string;
}

/** Output of one step. */
export interface BuildOutput {
  readonly step: string;
  readonly stream: "stdout" | "stderr";
  readonly text: string;
}

/** Reads the lines of `buildx build --progress=rawjson` (BuildKit's SolveStatus). */
export interface SolveStatusReader {
  /** Takes one line; lines that are no status are kept as plain output. */
  read(line: string): void;
}

const statusSchema = z.object({
  vertexes: z
    .array(
      z.object({
        digest: z.string(),
        name: z.string().default(""),
        started: z.string().optional(),
        completed: z.string().optional(),
        cached: z.boolean().optional(),
        error: z.string().optional(),
      }),
    )
    .nullish(),
  logs: z.array(z.object({ vertex: z.string(), stream: z.int().optional(), data: z.string().default("") })).nullish(),
});

/** A reader that tells steps once for each state, and output as it comes. */
export function createSolveStatusReader(listener: {
  readonly onStep: (step: BuildStep) => void;
  readonly onOutput: (output: BuildOutput) => void;
  readonly onPlain: (line: string) => void;
}): SolveStatusReader {
  const names = new Map<string, string>();
  const told = new Map<string, BuildStep["state"]>();
  const tell = (digest: string, step: BuildStep): void => {
    if (told.get(digest) === step.state) return;
    told.set(digest, step.state);
    listener.onStep(step);
  };
  return {
    read(line) {
      const status = parseStatus(line);
      if (!status) {
        if (line.trim() !== "") listener.onPlain(line);
        return;
      }
      for (const vertex of status.vertexes ?? []) {
        if (vertex.name !== "") names.set(vertex.digest, vertex.name);
        const name = names.get(vertex.digest) ?? vertex.digest;
        if (vertex.error) tell(vertex.digest, { name, state: "failed", error: vertex.error });
        else if (vertex.cached) tell(vertex.digest, { name, state: "cached" });
        else if (vertex.completed) tell(vertex.digest, { name, state: "done" });
        else if (vertex.started) tell(vertex.digest, { name, state: "started" });
      }
      for (const log of status.logs ?? []) {
        listener.onOutput({
          step: names.get(log.vertex) ?? log.vertex,
          stream: log.stream === 1 ? "stdout" : "stderr",
          text: Buffer.from(log.data, "base64").toString("utf8"),
        });
      }
    },
  };
}

function parseStatus(line: string): z.infer<typeof statusSchema> | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const parsed = statusSchema.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
