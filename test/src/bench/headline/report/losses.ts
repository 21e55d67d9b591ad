import type { Ratio } from '../../compared.js';
import type { Claims, Results, VaryingClaims } from '../figures.js';

/** Where AutoFlow is worse than another side, in words: also where it may be chance. */
export function lossesOf(
  claims: readonly Claims[],
  varying: readonly VaryingClaims[],
  { coldStarts, missing, rates, common, varying: loads, predictions }: Results,
): string[] {
  const invalid = [...rates, ...common, ...loads.flatMap(({ cells }) => cells)].filter((cell) => cell.invalid.length > 0);
  return [
    ...claims.flatMap(({ against, throughput, meanLatency, p95, cost, costWithoutActions, utilisation, memoryUtilisation }) => [
      ...worse(`throughput against ${against}`, throughput, 'more'),
      ...worse(`mean latency against ${against}`, meanLatency, 'less'),
      ...worse(`p95 against ${against}`, p95, 'less'),
      ...worse(`cost against ${against}`, cost, 'less'),
      ...worse(`cost without actions against ${against}`, costWithoutActions, 'less'),
      ...worse(`busy share of the instances against ${against}`, utilisation, 'more'),
      ...worse(`used share of the memory against ${against}`, memoryUtilisation, 'more'),
    ]),
    ...varying.flatMap(({ against, load, cost, p95, memorySeconds, served }) => [
      ...worse(`cost under ${load} against ${against}`, cost, 'less'),
      ...worse(`p95 under ${load} against ${against}`, p95, 'less'),
      ...worse(`memory-seconds under ${load} against ${against}`, memorySeconds, 'less'),
      ...worse(`records in time under ${load} against ${against}`, served, 'more'),
    ]),
    ...predictions.flatMap((one) => ('refused' in one ? [`the twin predicts nothing of ${one.side}: ${one.refused}`] : [])),
    ...coldStarts.filter(({ promoted }) => !promoted).map(({ outcome }) => `a cold start was not promoted by its rollout: ${outcome}`),
    ...(invalid.length > 0
      ? [`${invalid.length} cells whose load was not what it claims to be: ${invalid[0]!.side}: ${invalid[0]!.invalid[0]}`]
      : []),
    ...(missing.length > 0 ? [`${missing.length} cells were not measured: there was no time for them, or they were not asked for`] : []),
  ];
}

function worse(what: string, ratio: Ratio | undefined, better: 'more' | 'less'): string[] {
  if (ratio === undefined || (better === 'more' ? ratio.ratio >= 1 : ratio.ratio <= 1)) return [];
  const { low, high } = ratio;
  const interval =
    low === undefined || high === undefined ? 'one repetition' : `95 % interval ${low.toPrecision(3)} to ${high.toPrecision(3)}`;
  const chance = low !== undefined && high !== undefined && low <= 1 && high >= 1 ? '; may be chance' : '';
  return [`${what}: ${ratio.ratio.toPrecision(3)} × (${interval}${chance})`];
}
