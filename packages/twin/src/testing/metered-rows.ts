import type { Allocation } from '@autoflow/topology';
import type { MeteredInvocation } from '../fit/rows.js';
import { modelOf, type FunctionModels } from '../model/function-model.js';
import { planModel, type PlanInput } from '../model/plan-model.js';
import type { ObservedInvocation, SimulatorOptions } from '../simulator/simulator-options.js';
import { Simulator } from '../simulator/simulator.js';

/** The rows that metering would have written of a simulated run, each function with its part of the time. */
export function meteredRows(
  input: PlanInput,
  allocation: Allocation,
  options: Pick<SimulatorOptions, 'arrivals' | 'seed' | 'probes' | 'openExecutions'>,
  version = 'v1',
): MeteredInvocation[] {
  const plan = planModel(input);
  const seen: ObservedInvocation[] = [];
  const simulator = new Simulator({ plan, allocation, ...options, observe: (invocation) => seen.push(invocation) });
  simulator.run(Number.POSITIVE_INFINITY, options.arrivals.length);
  return seen.map((one) => ({
    ...rowOf(one),
    openedAt: new Date(one.openedAt),
    closedAt: new Date(options.arrivals[one.execution]! + simulator.latencyMs[one.execution]!),
  }));

  function rowOf(seen: ObservedInvocation): MeteredInvocation {
    const stage = plan.stages[seen.stage]!;
    const { nodes } = input.topology.stages.find(({ name }) => name === stage.name)!;
    return {
      executionId: `${version}/${seen.execution}`,
      version,
      stage: stage.name,
      startedAt: new Date(seen.startedAt - seen.coldStartMs),
      gateMs: 0,
      coldStartMs: seen.coldStartMs,
      durationMs: seen.durationMs,
      cpuMs: seen.cpuMs,
      runQueueMs: waitedOf(seen),
      peakMemoryMb: seen.workingSetMb,
      memoryMb: allocation[stage.name]!.memoryMb,
      recordsIn: seen.records,
      bytesIn: seen.records * stage.bytesIn,
      bytesOut: seen.records * stage.bytesOut,
      outcome: 'ok',
      ...(seen.records > plan.batchRecords && { probe: true }),
      spans: spansOf(input.models, nodes, seen, stage.cpuFixedMs + seen.records * stage.cpuPerRecordMs),
    };
  }

  function spansOf(
    models: FunctionModels,
    nodes: readonly string[],
    seen: ObservedInvocation,
    nominalCpuMs: number,
  ): MeteredInvocation['spans'] {
    const { invocation } = input.host;
    const own = nodes.map((node) => modelOf(models, { id: node, name: node })!);
    const nominalIoMs = own.reduce((sum, m) => sum + m.ioFixedMs + seen.records * m.ioPerRecordMs, invocation.ioMs);
    const waited = waitedOf(seen);
    return own.map((m, i) => {
      const cpuMs = (seen.cpuMs * (m.cpuFixedMs + seen.records * m.cpuPerRecordMs)) / Math.max(1e-9, nominalCpuMs);
      const ioMs = (seen.ioMs * (m.ioFixedMs + seen.records * m.ioPerRecordMs)) / Math.max(1e-9, nominalIoMs);
      const last = i === nodes.length - 1;
      return {
        node: nodes[i]!,
        recordsIn: seen.records,
        filtered: last ? seen.filtered : 0,
        dead: last ? seen.dead : 0,
        retried: last ? seen.retried : 0,
        wallMs: cpuMs + ioMs + (seen.cpuMs > 0 ? (waited * cpuMs) / seen.cpuMs : 0),
        cpuMs,
      };
    });
  }
}

/** For a core. Not below 0, which the rounding of sums would make it. */
function waitedOf({ durationMs, cpuMs, ioMs }: ObservedInvocation): number {
  return Math.max(0, durationMs - cpuMs - ioMs);
}
