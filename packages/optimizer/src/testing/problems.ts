import type { NodeSpec, PipelineSpec } from '@autoflow/pipeline';
import { asWritten, defaultAllocation, defaultEnvelope } from '@autoflow/topology';
import { functionModel, LOCAL_HOST, uniform, type FunctionModel, type HostModel } from '@autoflow/twin';
import type { Problem } from '../problem.js';

/** The priced cloud: CPU follows memory, so that memory is a choice. */
export const CLOUD: HostModel = {
  ...LOCAL_HOST,
  cores: 16,
  cpuFollowsMemory: true,
  temporal: { ...LOCAL_HOST.temporal, onHost: false, servers: 8 },
};

/** Functions that differ in every way that the twin knows; deterministic by seed. */
export function randomModels({ nodes }: PipelineSpec, seed: number): { readonly [node: string]: FunctionModel } {
  const random = uniform(seed);
  return Object.fromEntries(
    nodes.map(({ id, kind }) => [
      id,
      functionModel({
        cpuFixedMs: 1 + 5 * random(),
        cpuPerRecordMs: 0.5 + 5 * random(),
        ioFixedMs: random() < 0.4 ? 20 * random() : 0,
        ioPerRecordMs: random() < 0.4 ? 4 * random() : 0,
        memoryMb: 40 * random(),
        memoryPerRecordMb: 0.3,
        cv: 0.2 + 0.3 * random(),
        selectivity: kind === 'filter' ? 0.5 + 0.5 * random() : 1,
      }),
    ]),
  );
}

/** As written, with the default allocation. */
export function problemOf(spec: PipelineSpec, given: Partial<Problem> = {}): Problem {
  const topology = asWritten(spec);
  return {
    spec,
    start: { topology, allocation: defaultAllocation(spec, topology, defaultEnvelope(spec, topology)) },
    models: randomModels(spec, given.seed ?? 1),
    host: CLOUD,
    recordBytes: 1000,
    ratePerSecond: 20,
    objective: { minimise: 'cost', p95Ms: 1000 },
    limits: { memoryMb: [512, 1024, 1769], instances: 32 },
    seed: 1,
    ...given,
  };
}

/** So many pure functions, each called on the record of one before: the one that `inputOf` says. */
export function pipelineOf(count: number, inputOf: (i: number) => number | undefined = (i) => (i > 0 ? i - 1 : undefined)): PipelineSpec {
  const retry = { maximumAttempts: 3, initialIntervalMs: 100, backoffCoefficient: 2, maximumIntervalMs: 10_000 };
  const nodes = Array.from({ length: count }, (_, i): NodeSpec => {
    const input = inputOf(i);
    return {
      id: `f${i}`,
      name: `f${i}`,
      kind: 'function',
      effect: 'pure',
      inputs: input === undefined ? [] : [`f${input}`],
      scope: [],
      reads: input === undefined ? ['key'] : [`v${input}`],
      writes: [`v${i}`],
      uses: [],
      batched: false,
      timeoutMs: 1000,
      retry,
    };
  });
  const last = `v${count - 1}`;
  return { name: 'some', key: 'key', input: ['key'], output: ['key', last], nodes, resources: [], schemas: { input: {}, output: {} } };
}
