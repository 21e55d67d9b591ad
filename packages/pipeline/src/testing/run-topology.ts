import type { AnyPipeline } from '../pipeline.js';
import type { RecordState } from '../record-state.js';
import type { RunOptions } from '../runtime/contract.js';
import { dropDead, type Dropped } from '../runtime/drop-dead.js';
import { mergeStates } from '../runtime/merge-states.js';
import { runNodes } from '../runtime/run-nodes.js';
import type { PipelineSpec } from '../spec.js';

/** The part of a topology that matters for outcomes. It is taken to be legal. */
export interface TestTopology {
  readonly stages: readonly {
    readonly name: string;
    readonly nodes: readonly string[];
    readonly after: readonly string[];
    readonly partitions?: number;
    readonly drops?: Dropped;
  }[];
}

/** Walks the stages over one batch; answers the records as they end, in order of index. */
export async function runTopology(
  pipeline: AnyPipeline,
  spec: PipelineSpec,
  topology: TestTopology = inOrderWritten(spec),
  batch: readonly RecordState[],
  options: RunOptions,
): Promise<RecordState[]> {
  const ended = new Map<string, readonly RecordState[]>();
  let waiting = topology.stages;
  while (waiting.length > 0) {
    const ready = waiting.filter(({ after }) => after.every((name) => ended.has(name)));
    if (ready.length === 0)
      throw new Error(
        `the stages ${waiting.map(({ name }) => name).join(', ')} wait for each other or for stages that are not there; correct their 'after'`,
      );
    for (const { name, nodes, after, partitions = 1, drops } of ready) {
      const input =
        after.length === 0
          ? batch
          : mergeStates(
              after.map((stage) => ended.get(stage) ?? []),
              spec,
            );
      const parts = [];
      for (const part of divide(input, partitions)) parts.push(await runUntilDone(pipeline, nodes, part, options));
      const output = mergeStates(parts, spec);
      ended.set(name, drops ? dropDead(output, drops) : output);
    }
    waiting = waiting.filter(({ name }) => !ended.has(name));
  }
  const last = topology.stages.filter(({ name }) => !topology.stages.some(({ after }) => after.includes(name)));
  return mergeStates(
    last.map(({ name }) => ended.get(name) ?? []),
    spec,
  );
}

function inOrderWritten({ nodes }: PipelineSpec): TestTopology {
  return { stages: [{ name: 'all', nodes: nodes.map(({ id }) => id), after: [] }] };
}

function divide<T>(all: readonly T[], parts: number): (readonly T[])[] {
  const length = Math.max(1, Math.ceil(all.length / parts));
  return Array.from({ length: Math.ceil(all.length / length) }, (_, i) => all.slice(i * length, (i + 1) * length));
}

/** Attempts are bounded by each function's retry policy, so this ends. */
async function runUntilDone(
  pipeline: AnyPipeline,
  nodes: readonly string[],
  records: readonly RecordState[],
  options: RunOptions,
): Promise<RecordState[]> {
  const done: RecordState[] = [];
  let left = records;
  while (left.length > 0) {
    const result = await runNodes(pipeline, nodes, left, options);
    done.push(...result.done);
    left = result.retry;
  }
  return done;
}
