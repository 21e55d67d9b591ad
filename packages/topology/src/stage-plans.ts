import type { Effect, NodeSpec, PipelineSpec } from '@autoflow/pipeline';
import type { StagePlan } from './execution.js';
import type { Allocation, Envelope, StageAllocation, StageEnvelope, Topology } from './topology.js';

const DANGER: readonly Effect[] = ['pure', 'read', 'idempotent-write', 'write'];

/**
 * What an execution must know of each stage, frozen into its argument at the start. Takes a legal topology with its envelope and allocation.
 * A fused stage adds its functions' timeouts, and has a dispatch for every attempt that one of them may ask for: each bounds its own attempts.
 * It waits as the function with the fewest attempts does, the first of several.
 */
export function stagePlans(
  spec: PipelineSpec,
  topology: Topology,
  envelope: Envelope,
  allocation: Allocation,
): { readonly [stage: string]: StagePlan } {
  const nodes = new Map(spec.nodes.map((node) => [node.id, node]));
  return Object.fromEntries(
    topology.stages.map((stage) => [
      stage.name,
      planOf(
        stage.nodes.map((id) => known(nodes.get(id), `node '${id}'`)),
        known(envelope[stage.name], `envelope of stage '${stage.name}'`),
        known(allocation[stage.name], `allocation of stage '${stage.name}'`),
      ),
    ]),
  );
}

function planOf(nodes: readonly NodeSpec[], envelope: StageEnvelope, allocation: StageAllocation): StagePlan {
  const effect = DANGER[Math.max(...nodes.map((node) => DANGER.indexOf(node.effect)))] ?? 'pure';
  const retries = nodes.map((node) => node.retry);
  const { initialIntervalMs, backoffCoefficient, maximumIntervalMs } = retries.reduce((fewest, retry) =>
    retry.maximumAttempts < fewest.maximumAttempts ? retry : fewest,
  );
  const dispatches = retries.reduce((sum, { maximumAttempts }) => sum + maximumAttempts - 1, 1);
  return {
    memoryMb: [allocation.memoryMb, ...envelope.memoryMb.filter((size) => size > allocation.memoryMb)],
    effect,
    timeoutMs: nodes.reduce((sum, node) => sum + node.timeoutMs, 0),
    // A plain write is never run again, whatever its options say.
    retry: { maximumAttempts: effect === 'write' ? 1 : dispatches, initialIntervalMs, backoffCoefficient, maximumIntervalMs },
  };
}

function known<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`there is no ${what}. Validate topology, envelope and allocation before planning.`);
  return value;
}
