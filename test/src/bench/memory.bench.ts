/**
 * Memory that follows what is used, in the twin: pipelines whose stages compute, hold a working set and begin with any size that it fits. The agent
 * and the rule with sizes that follow, against the autoscaler and the agent on sizes as they began and on those of a power-tuning sweep, which knows
 * what every size costs. Held-out functions and minutes, as `policy`; trains nothing.
 */
import { agentAllocator, pretrainedPolicy } from '@autoflow/learning';
import { FALLBACK, followingMemory, onSizes, powerTuned, powerTunedSizes, RULES, runEpisodes, steady, tuned, type AllocatorFor } from '@autoflow/optimizer'; // prettier-ignore
import type { ControlScenario } from '@autoflow/twin';
import { K, mapped, summaryOf } from './agent.bench.js';
import { compared } from './agent/compared.js';
import { computingOf, computingValidationOf, functions } from './agent/scenarios.js';
import { VALIDATED } from './agent/variants.js';
import type { BenchOptions } from './main.js';
import type { BenchReport } from './report.js';

/** Of the service level, to the slowest way through: the rest is for what takes longer, and waits. */
const ROOM = 0.5;
const sizesWithin = (scenario: ControlScenario): readonly number[] => powerTunedSizes(scenario, ROOM * scenario.pipeline.sloMs);
const SCENARIOS = 100;
const QUICK_SCENARIOS = 20;

export async function run({ quick, progress }: BenchOptions): Promise<BenchReport> {
  const sets = await functions();
  progress(sets.about);
  const test = computingOf(sets, quick ? QUICK_SCENARIOS : SCENARIOS);
  const validation = computingValidationOf(sets, quick ? QUICK_SCENARIOS : VALIDATED);
  const agent = agentAllocator(pretrainedPolicy(), K);
  const hpa = tuned(RULES['hpa']!, validation, K);
  progress(`tuned: ${hpa.name}`);
  const sides: { readonly [name: string]: AllocatorFor } = {
    'agent, memory follows': () => followingMemory(steady(agent)),
    'rule, memory follows': () => followingMemory(steady(FALLBACK)),
    'agent, sizes as they began': () => steady(agent),
    'agent, power-tuned sizes': (scenario) => onSizes(steady(agent), powerTunedSizes(scenario)),
    'HPA, sizes as they began': () => hpa,
    'HPA, power-tuned sizes': (scenario) => onSizes(hpa, powerTunedSizes(scenario)),
    'agent, sizes tuned to the service level': (scenario) => onSizes(steady(agent), sizesWithin(scenario)),
    'HPA, sizes tuned to the service level': (scenario) => onSizes(hpa, sizesWithin(scenario)),
    'constant, power-tuned sizes': powerTuned,
  };
  const judged = mapped(sides, (allocatorFor) => runEpisodes(test, allocatorFor));
  for (const [name, episodes] of Object.entries(judged)) {
    const { score, cost, late } = summaryOf(episodes);
    progress(`${name}: J ${score.toFixed(3)}, cost ${cost.toFixed(2)}, late ${(100 * late).toFixed(2)} %`);
  }
  const own = judged['agent, memory follows']!;
  const against = mapped(judged, (other) => compared(own, other, K));
  const bar = (name: string) => ({ name: `J, agent with memory that follows ÷ ${name}`, figure: against[name]!.percent, unit: '%', must: '<=' as const, bar: 0, interval: against[name]!.interval });
  return {
    bars: ['agent, sizes as they began', 'HPA, sizes as they began', 'HPA, power-tuned sizes', 'HPA, sizes tuned to the service level'].map(bar),
    figures: { data: sets.about, k: K, test: { scenarios: test.length, steps: 160, intervalMs: 15_000 }, hpa: hpa.name, sides: mapped(judged, (episodes) => summaryOf(episodes)), against },
    notMeasured: [
      'the real stack: this is the twin alone, where CPU follows memory',
      'a working set that grows, and out-of-memory: those are tests (`test/src/control/memory.test.ts`, `test/src/fleet`)',
      'what a sweep costs, and that it knows only what it swept: the one here knows the true cost of every size',
    ],
  };
} // prettier-ignore
