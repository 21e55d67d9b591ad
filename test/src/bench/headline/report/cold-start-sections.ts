import type { ColdStart } from '../cold-start.js';
import type { HeadlineFigures } from '../figures.js';
import { number, percent, table } from './table.js';

/** From a cold start: what was decided, what it cost, and what it told of itself. */
export function coldStartSections({ coldStarts, forVarying, optimizing }: HeadlineFigures): string[] {
  if (coldStarts.length === 0) return [];
  return [
    '## From a cold start',
    ...(optimizing === undefined
      ? []
      : [
          `Optimizing itself took ${optimizing.seconds.toFixed(0)} s and ${optimizing.cpuSeconds.toFixed(0)} CPU seconds; with the batches that it was ` +
            `measured with and what the canary cost more, it cost $${optimizing.usd.toPrecision(3)}. ` +
            (optimizing.paidAfterRecords === undefined
              ? 'It has not paid for itself.'
              : `It has paid for itself after ${number(optimizing.paidAfterRecords)} records.`),
        ]),
    ...coldStarts.flatMap((cold, i) => one(`Cold start ${i + 1}: ${cold.promoted ? 'promoted' : 'not promoted'}`, cold)),
    ...forVarying.flatMap(({ load, coldStart }) => one(`Under what was before ${load}, without a rollout`, coldStart)),
  ];
}

function one(title: string, cold: ColdStart): string[] {
  const { objective, times, optimization, rollout, seconds, cost, phases, ratePerSecond, outcome, rewardCurve } = cold;
  const { found, error } = optimization;
  return [
    `### ${title}`,
    `Asked for: the least cost, p95 ≤ ${objective.p95Ms} ms (the mean of the pipeline as written), p99 ≤ ${objective.p99Ms} ms, for ${number(times)} times the load that it was measured under. At ${ratePerSecond.toFixed(1)} records/s: measured for ${seconds.measuring.toFixed(0)} s, optimized in ${seconds.optimizing.toFixed(0)} s (${cost.cpuSeconds.toFixed(0)} CPU seconds, ${cost.probes.records} records in batches for $${cost.probes.usd.toPrecision(2)}), ${rollout === undefined ? 'not rolled out' : `rolled out in ${seconds.rollout.toFixed(0)} s`}${rollout?.harm === undefined ? '' : ` (${rollout.harm.records} records on the candidate, ${(100 * rollout.harm.share).toFixed(0)} % of the traffic, $${rollout.harm.extraUsd.toPrecision(2)} more than before)`}. ${outcome}`,
    ...optimization.decisions.map(({ step, reason }) => `- ${step}: ${reason}`),
    ...(error === undefined
      ? []
      : [
          `The twin's error on the running version: cost ${percent(error.costPer1000)}, p95 ${percent(error.p95)}, throughput ${percent(error.throughput)}.`,
        ]),
    ...(found === undefined
      ? []
      : [
          table(
            ['proposer', 'evaluations', 'seconds', 'regret'],
            found.standing.map(({ proposer, evaluations, ms, regret }) => [
              proposer,
              String(evaluations),
              (ms / 1000).toFixed(1),
              regret === undefined ? '–' : `${(100 * regret).toFixed(1)} %`,
            ]),
          ),
        ]),
    table(
      ['traffic meanwhile', 'records', 'p95 (of the slowest version)', '$ per 1,000'],
      phases.map(({ name, records, p95Ms, costPer1000 }) => [
        name,
        String(records),
        `${p95Ms.toFixed(0)} ms`,
        costPer1000 === undefined ? '–' : `$${costPer1000.toPrecision(3)}`,
      ]),
    ),
    ...(rewardCurve.length === 0
      ? []
      : [
          `Reward curve of the agent trained beside the search: ${rewardCurve.map(({ seconds: at, score }) => `${score.toFixed(2)} at ${at.toFixed(0)} s`).join(', ')} (cost and lateness; less is better).`,
        ]),
  ];
}
