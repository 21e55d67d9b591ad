import { cpuMs, cpuShare, ioMs, memoryPressure, workingSetMb, type ControlScenario } from '@autoflow/twin';
import type { Allocator } from './allocator.js';
import { fixed } from './static.js';

/**
 * The sweep that people run over a single function, apart from its load: the memory size at which an invocation costs least. As many
 * instances as the mean load of the window before asks for, ⌈1.2ρ + 1.5√ρ⌉, and then no change.
 */
export function powerTuned(scenario: ControlScenario): Allocator {
  const { pipeline, plan } = scenario;
  const { ratePerSecond } = scenario.before?.() ?? scenario;
  const targets = plan.stages.map((stage, s) => {
    const records = plan.batchRecords / stage.partitions;
    const working = workingSetMb(stage, records);
    const timed = pipeline.stages[s]!.memoryMb.map((memoryMb) => {
      const cpu = (cpuMs(stage, records) * memoryPressure(plan.host, working, memoryMb)) / cpuShare(plan.host, memoryMb);
      return { memoryMb, ms: cpu + ioMs(stage, records) };
    });
    const { memoryMb, ms } = timed.reduce((a, b) => (b.memoryMb * b.ms < a.memoryMb * a.ms ? b : a));
    const load = (ratePerSecond / records) * (ms / 1000);
    return { memoryMb, concurrency: Math.ceil(1.2 * load + 1.5 * Math.sqrt(load)) };
  });
  return fixed('power-tuned', targets);
}
