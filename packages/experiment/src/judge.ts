/** The gate of a canary. */
import { ROLLOUT_DEFAULTS, type Margins } from '@autoflow/topology';
import { sumOf, type Block } from './block.js';
import type { Interval } from './confidence-sequence.js';
import { blocksOfEach } from './contrast.js';
import { BEYOND, cost, costOf, filtered, latencyOf, meanRatio, pairs, rare, tail, type Guardrail } from './guardrails.js';
import { detectableGain } from './power.js';
import { sampleRatio, type SampleRatio } from './sample-ratio.js';

export interface GateSettings {
  /** What the candidate must improve; the other one's guardrails hold besides. */
  readonly metric: 'cost' | 'latency';
  /** Of all metrics together; each is tested at alpha / K. */
  readonly alpha: number;
  readonly margins: Margins;
  /** Of each arm, before anything is promoted. */
  readonly minimumRecords: number;
  /** Of time, in which each arm had something (not always the same ones for both), before a mean or a quantile is believed: the sequences are exact only as samples grow. */
  readonly minimumBlocks: number;
}

export const GATE: GateSettings = ROLLOUT_DEFAULTS;

export interface Judgement {
  readonly verdict: 'continue' | 'promote' | 'roll-back';
  /** Sentences: of a rollback what was breached, of `continue` what is still missing. */
  readonly reasons: readonly string[];
  /** 1 - mean of the candidate / mean of the control, of the metric. */
  readonly gain?: Interval;
  readonly guardrails: readonly Guardrail[];
  readonly sampleRatio: SampleRatio;
  readonly records: { readonly candidate: number; readonly control: number };
  readonly blocks: number;
  /** The smallest gain that would be found with probability 0.8 by now. */
  readonly detectable?: number;
}

/**
 * May be asked after every record: with probability 1 - alpha neither a candidate that is no better is ever promoted, nor one that harms nothing
 * rolled back, however long it runs. `promote` only if the gain's lower bound is above 0 and every guardrail holds; `roll-back` if a guardrail is
 * breached, the gain's upper bound is below 0, or the records do not reach the arms as assigned. `share`: what the candidate is assigned of
 * both arms in the `recent` blocks (default: all).
 */
export function judge(
  blocks: readonly Block[],
  share: number,
  settings: GateSettings = GATE,
  recent: readonly Block[] = blocks,
): Judgement {
  const { metric, margins, minimumRecords, minimumBlocks } = settings;
  const alpha = settings.alpha / (metric === 'cost' ? 6 : 7);
  const used = blocks.filter(({ candidate, control }) => candidate.records + control.records > 0);
  const observed = pairs(used, metric === 'cost' ? costOf : latencyOf);
  const ratio = meanRatio(observed, alpha, minimumBlocks);
  const gain = ratio && { estimate: -Math.expm1(ratio.estimate), low: -Math.expm1(ratio.high), high: -Math.expm1(ratio.low) };
  const guardrails = [
    rare('dead', used, margins.dead, alpha),
    rare('errors', used, margins.errors, alpha),
    filtered(used, alpha),
    ...(margins.p95 === null ? [] : [tail('p95', used, margins.p95, alpha, minimumBlocks)]),
    ...(margins.p99 === null ? [] : [tail('p99', used, margins.p99, alpha, minimumBlocks)]),
    ...(metric === 'latency' ? [cost(used, margins.cost, alpha, minimumBlocks)] : []),
  ];
  const records = { candidate: sumOf(used, 'candidate').records, control: sumOf(used, 'control').records };
  const arrived = sampleRatio(sumOf(recent, 'candidate').records, sumOf(recent, 'control').records, share);
  const harms = harmOf(guardrails, arrived, gain, metric);
  const missing = missingOf(guardrails, gain, metric, records, minimumRecords, blocksOfEach(pairs(used, latencyOf)), minimumBlocks);
  const detectable = ratio && detectableGain(observed, alpha);
  return {
    verdict: harms.length > 0 ? 'roll-back' : missing.length > 0 ? 'continue' : 'promote',
    reasons:
      harms.length > 0 ? harms : missing.length > 0 ? missing : [`${metric} is lower by ${percent(gain!)} and every guardrail holds`],
    ...(gain && { gain }),
    guardrails,
    sampleRatio: arrived,
    records,
    blocks: used.length,
    ...(detectable !== undefined && { detectable }),
  };
}

/**
 * What is not known yet of how much the candidate hurts, in sentences; of none it is bounded: no more records die or are dispatched again than the
 * margins allow, and at most twice as many as usual are beyond a quantile. A tail that is to hold takes ten times as many records.
 */
export function unknownHarms({ guardrails }: Pick<Judgement, 'guardrails'>): string[] {
  return guardrails.flatMap(({ name, state, high }) => {
    if (state === 'holds' || name === 'filtered' || name === 'cost') return [];
    if (name !== 'p95' && name !== 'p99') return [openOf(name)];
    return high <= BEYOND[name] ? [] : [`that at most twice as many records are late beyond ${name} is not shown yet`];
  });
}

function harmOf(
  guardrails: readonly Guardrail[],
  { expected, observed, mismatch }: SampleRatio,
  gain: Interval | undefined,
  metric: string,
): string[] {
  return [
    ...(mismatch
      ? [`the candidate got ${(100 * observed).toFixed(1)} % of the records of both arms instead of ${(100 * expected).toFixed(1)} %`]
      : []),
    ...guardrails.filter(({ state }) => state === 'breached').map(sentence),
    ...(gain !== undefined && gain.high < 0
      ? [`${metric} is higher by ${percent({ estimate: -gain.estimate, low: -gain.high, high: -gain.low })}`]
      : []),
  ];
}

function missingOf(
  guardrails: readonly Guardrail[],
  gain: Interval | undefined,
  metric: string,
  { candidate, control }: Judgement['records'],
  minimumRecords: number,
  blocks: number,
  minimumBlocks: number,
): string[] {
  const records = Math.min(candidate, control);
  return [
    ...(records < minimumRecords ? [`${records} of ${minimumRecords} records in the smaller arm`] : []),
    ...(blocks < minimumBlocks ? [`${blocks} of ${minimumBlocks} blocks of time in the smaller arm`] : []),
    ...(gain === undefined || gain.low > 0 ? [] : [`the gain in ${metric} may be none: ${percent(gain)}`]),
    ...guardrails.filter(({ state }) => state === 'open').map(({ name }) => openOf(name)),
    ...(gain === undefined && blocks >= minimumBlocks ? [`nothing is known of ${metric} yet`] : []),
  ];
}

const openOf = (name: string): string => `the guardrail of ${name} is not shown yet`;

function sentence({ name, estimate, margin }: Guardrail): string {
  const points = `${(100 * estimate).toFixed(2)} points`;
  if (name === 'cost') return `it costs ${(100 * estimate).toFixed(1)} % more; ${100 * margin} % are allowed`;
  if (name === 'filtered') return `it filters other records: ${(100 * estimate).toFixed(2)} points of difference`;
  if (name === 'dead') return `more records die: by ${points}; ${100 * margin} points are allowed`;
  if (name === 'errors') return `more records are dispatched again: by ${points}; ${100 * margin} points are allowed`;
  return `${name} is above the control's by more than ${Math.round(100 * margin)} %: ${points} more of its records exceed that`;
}

const percent = ({ estimate, low, high }: Interval): string =>
  `${(100 * estimate).toFixed(1)} % [${(100 * low).toFixed(1)}, ${(100 * high).toFixed(1)}]`;
