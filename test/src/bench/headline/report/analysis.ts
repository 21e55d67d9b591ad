/** From what was measured to claims, with intervals. Pure. */
import { PUBLISHED_PRICES } from '@autoflow/twin';
import { compared, paired, type Ratio } from '../../compared.js';
import { regress, type Regression } from '../../regression.js';
import { mean } from '../../statistics.js';
import type { SampledInvocation } from '../cell.js';
import type { Cell, Claims, HeadlineFigures, Optimizing, PredictionError, Results, Varying, VaryingClaims } from '../figures.js';
import { NAMES } from '../names.js';
import { byRepetition, saturationOf } from '../rates.js';
import { lossesOf } from './losses.js';

export function analysed(results: Results, invocations: readonly SampledInvocation[]): HeadlineFigures {
  const sides = [...new Set([...results.rates, ...results.common].map(({ side }) => side))];
  const claims = sides
    .filter((side) => side !== NAMES.autoflow && side !== NAMES.fused)
    .map((against) => claimsOf(results, NAMES.autoflow, against));
  const alone = sides
    .filter((side) => side === NAMES.fused || side.startsWith(NAMES.batched('')))
    .map((side) => ({ ...claimsOf(results, side, NAMES.written), against: side }));
  const varyingClaims = varyingOf(results.varying);
  const regression = regressionOf(invocations);
  const optimizing = optimizingOf(results);
  return {
    ...results,
    saturations: sides.map((side) => ({ side, perRepetition: known(saturations(results, side)) })),
    claims,
    varyingClaims,
    alone,
    ...(regression && { regression }),
    errors: errorsOf(results),
    ...(optimizing && { optimizing }),
    differing: differingOf(results),
    losses: lossesOf(claims, varyingClaims, results),
  };
}

/** Of each repetition, records per second within the service level; undefined where nothing was sustained. */
function saturations({ rates, conditions }: Results, side: string): (number | undefined)[] {
  return byRepetition(rates.filter((cell) => cell.side === side)).map((own) => saturationOf(own, conditions.serviceLevelMs));
}

export function claimsOf(results: Results, ours: string, against: string): Claims {
  const { common } = results;
  const of = (side: string, pick: (cell: Cell) => number | undefined): number[] =>
    common.filter((cell) => cell.side === side).flatMap((cell) => pick(cell) ?? []);
  const ratio = (pick: (cell: Cell) => number | undefined): Ratio | undefined => compared(of(ours, pick), of(against, pick));
  return dense({
    against,
    throughput: throughputOf(results, ours, against),
    meanLatency: ratio(({ latency }) => latency?.mean),
    p95: ratio(({ latency }) => latency?.p95),
    cost: ratio(({ costPer1000 }) => costPer1000?.all),
    costWithoutActions: ratio(({ costPer1000 }) => costPer1000?.withoutActions),
    utilisation: ratio(({ utilisation }) => utilisation?.instances),
    memoryUtilisation: ratio(({ utilisation }) => utilisation?.memory),
  }) as unknown as Claims;
}

/** Unknown when a side sustained nothing in some repetition: what is left would be its better part. */
function throughputOf(results: Results, ours: string, against: string): Ratio | undefined {
  const [own, other] = [saturations(results, ours), saturations(results, against)];
  return [...own, ...other].includes(undefined) ? undefined : compared(known(own), known(other));
}

const known = (values: readonly (number | undefined)[]): number[] => values.filter((value) => value !== undefined);

export const ALL_LOADS = 'all';

function varyingOf(varying: readonly Varying[]): VaryingClaims[] {
  const sides = [...new Set(varying.flatMap(({ cells }) => cells.map(({ side }) => side)))].filter((side) => side !== NAMES.autoflow);
  return sides.flatMap((against) => [
    ...varying.map((one) => varyingClaims([one], against, one.name)),
    ...(varying.length > 1 ? [varyingClaims(varying, against, ALL_LOADS)] : []),
  ]);
}

function varyingClaims(varying: readonly Varying[], against: string, load: string): VaryingClaims {
  const pairs = (pick: (cell: Cell) => number | undefined) =>
    varying.flatMap(({ cells }) =>
      cells
        .filter(({ side }) => side === NAMES.autoflow)
        .flatMap((cell) => {
          const other = cells.find(({ side, repetition }) => side === against && repetition === cell.repetition);
          const [ours, theirs] = [pick(cell), other && pick(other)];
          return ours === undefined || theirs === undefined ? [] : [{ ours, theirs }];
        }),
    );
  return dense({
    against,
    load,
    cost: paired(pairs(({ costPer1000 }) => costPer1000?.all)),
    p95: paired(pairs(({ latency }) => latency?.p95)),
    memorySeconds: paired(pairs(({ heldMbSPer1000 }) => heldMbSPer1000)),
    // Where all are late, a thousandth: zero has no ratio.
    served: paired(pairs(({ late }) => Math.max(0.001, 1 - late))),
  }) as unknown as VaryingClaims;
}

/** ln ms of an invocation on its records, its memory, the CPU it took and the time it waited for a core; each stage has a level of its own. */
function regressionOf(invocations: readonly SampledInvocation[]): Regression | undefined {
  const rows = invocations.filter(({ ms, records }) => ms > 0 && records > 0);
  const stages = [...new Set(rows.map(({ stage }) => stage))].sort().slice(1);
  return regress(
    ['ln records', 'ln memory, MB', 'ln (1 + CPU ms)', 'ln (1 + run queue ms)', ...stages.map((stage) => `stage ${stage}`)],
    rows.map(({ records, memoryMb, cpuMs, runQueueMs, stage }) => [
      Math.log(records),
      Math.log(memoryMb),
      Math.log1p(cpuMs),
      Math.log1p(runQueueMs),
      ...stages.map((one) => (one === stage ? 1 : 0)),
    ]),
    rows.map(({ ms }) => Math.log(ms)),
  );
}

function errorsOf({ predictions, common }: Results): PredictionError[] {
  return predictions.flatMap((one) => {
    if ('refused' in one) return [];
    const { side, twin, gcn } = one;
    const cells = common.filter((cell) => cell.side === side);
    const measured = (pick: (cell: Cell) => number | undefined): number | undefined => {
      const values = cells.flatMap((cell) => pick(cell) ?? []);
      return values.length === 0 ? undefined : mean(values);
    };
    const error = (predicted: number, value: number | undefined): number | undefined => value && predicted / value - 1;
    return (['twin', 'gcn'] as const).flatMap((by) => {
      const predicted = by === 'twin' ? twin : gcn;
      if (predicted === undefined || cells.length === 0) return [];
      return [
        dense({
          side,
          by,
          costPer1000: error(
            predicted.costPer1000,
            measured(({ costPer1000 }) => costPer1000?.all),
          ),
          p95Ms: error(
            predicted.p95Ms,
            measured(({ latency }) => latency?.p95),
          ),
          // What the scorer says is what a plan could do, the simulator what leaves at this load.
          throughput: by === 'gcn' ? undefined : error(predicted.throughput, measured(({ achievedRate }) => achievedRate)), // prettier-ignore
        }) as unknown as PredictionError,
      ];
    });
  });
}

function optimizingOf({ coldStarts, common }: Results): Optimizing | undefined {
  if (coldStarts.length === 0) return undefined;
  const of = (pick: (one: Results['coldStarts'][number]) => number): number => mean(coldStarts.map(pick));
  const cpuSeconds = of(({ cost }) => cost.cpuSeconds);
  // What the canary saved is a gain of the version, and no price of finding it.
  const usd = of(({ cost: { probes, canary } }) => probes.usd + Math.max(0, canary.extraUsd)) + cpuSeconds * PUBLISHED_PRICES.gbSecond.usd;
  const costOf = (side: string): number =>
    mean(common.filter((cell) => cell.side === side).flatMap(({ costPer1000 }) => costPer1000?.all ?? []));
  const savedPerRecord = (costOf(NAMES.written) - costOf(NAMES.autoflow)) / 1000;
  return {
    seconds: of(({ seconds: { optimizing, rollout } }) => optimizing + rollout),
    cpuSeconds,
    usd,
    ...(savedPerRecord > 0 && { paidAfterRecords: Math.ceil(usd / savedPerRecord) }),
  };
}

/** Sides whose outcomes of the same invoices are not those of the pipeline as written. */
function differingOf({ capacities }: Results): string[] {
  const written = capacities.find(({ side }) => side === NAMES.written);
  return written === undefined ? [] : capacities.filter(({ digest }) => digest !== written.digest).map(({ side }) => side);
}

function dense<T extends object>(given: T): Partial<T> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<T>;
}
