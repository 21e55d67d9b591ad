import type { Ratio } from '../../compared.js';
import type { Bar } from '../../report.js';
import type { HeadlineFigures } from '../figures.js';
import { NAMES } from '../names.js';
import { ALL_LOADS } from './analysis.js';

/** What could not be told does not hold. */
export function barsOf(figures: HeadlineFigures): Bar[] {
  const written = figures.claims.find(({ against }) => against === NAMES.written);
  const [worst, best] = varyingBars(figures);
  return [
    { name: 'records/s within the service level, AutoFlow ÷ as written', figure: written?.throughput?.ratio ?? NaN, unit: '×', must: '>=', bar: 10 },
    { name: 'mean latency at the same load, AutoFlow ÷ as written', figure: written?.meanLatency?.ratio ?? NaN, unit: '×', must: '<=', bar: 0.85 },
    { name: 'cost at the same load, AutoFlow ÷ as written', figure: written?.cost?.ratio ?? NaN, unit: '×', must: '<=', bar: 0.7 },
    { name: 'busy share of the instances at the same load, AutoFlow ÷ as written', figure: written?.utilisation?.ratio ?? NaN, unit: '×', must: '>=', bar: 1.2 },
    { name: 'used share of the memory at the same load, AutoFlow ÷ as written', figure: written?.memoryUtilisation?.ratio ?? NaN, unit: '×', must: '>=', bar: 1.2 },
    { name: 'varying load, worst of cost, p95, memory-seconds and records not in time, AutoFlow ÷ best static, lower bound', figure: worst, unit: '×', must: '<=', bar: 1 },
    { name: 'varying load, better of cost and p95, AutoFlow ÷ best static, upper bound', figure: best, unit: '×', must: '<=', bar: 1 },
    { name: 'sides whose outcomes differ from those of the pipeline as written', figure: figures.differing.length, unit: 'sides', must: '<=', bar: 0 },
    { name: 'cold starts that were not promoted by their rollout', figure: figures.coldStarts.length === 0 ? NaN : figures.coldStarts.filter(({ promoted }) => !promoted).length, unit: 'cold starts', must: '<=', bar: 0 },
    { name: 'records without an outcome at the common load', figure: figures.common.reduce((sum, { unfinished }) => sum + unfinished, 0), unit: 'records', must: '<=', bar: 0 },
  ]; // prettier-ignore
}

/** Worse is what is shown to be worse, better what is shown to be better: bounds of the 95 % intervals, over all loads that vary. */
function varyingBars({ varyingClaims, varying }: HeadlineFigures): readonly [number, number] {
  const load = varying.length > 1 ? ALL_LOADS : varying[0]?.name;
  const found = varyingClaims.find((one) => one.against === NAMES.static && one.load === load);
  if (found === undefined) return [NaN, NaN];
  const { cost, p95, memorySeconds, served } = found;
  const low = (ratio: Ratio | undefined): number => ratio?.low ?? ratio?.ratio ?? NaN;
  const high = (ratio: Ratio | undefined): number => ratio?.high ?? NaN;
  const unserved = served === undefined ? NaN : 1 / (served.high ?? served.ratio);
  return [Math.max(low(cost), low(p95), low(memorySeconds), unserved), Math.min(high(cost), high(p95))];
}
