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
    { name: 'records/s within the service level, AutoFlow ÷ as written', ...told(written?.throughput), unit: '×', must: '>=', bar: 10 },
    { name: 'mean latency at the same load, AutoFlow ÷ as written', ...told(written?.meanLatency), unit: '×', must: '<=', bar: 0.85 },
    { name: 'cost at the same load, AutoFlow ÷ as written', ...told(written?.cost), unit: '×', must: '<=', bar: 0.7 },
    { name: 'busy share of the instances at the same load, AutoFlow ÷ as written', ...told(written?.utilisation), unit: '×', must: '>=', bar: 1.2 },
    { name: 'used share of the memory at the same load, AutoFlow ÷ as written', ...told(written?.memoryUtilisation), unit: '×', must: '>=', bar: 1.2 },
    { name: 'varying load, worst of cost, p95, memory-seconds and records not in time, AutoFlow ÷ best static', figure: worst, unit: '×', must: '<=', bar: 1.05 },
    { name: 'varying load, better of cost and p95, AutoFlow ÷ best static, upper bound', figure: best, unit: '×', must: '<=', bar: 1 },
    { name: 'sides whose outcomes differ from those of the pipeline as written', figure: figures.capacities.some(({ side }) => side === NAMES.written) ? figures.differing.length : NaN, unit: 'sides', must: '<=', bar: 0 },
    { name: 'cold starts that were not promoted by their rollout', figure: figures.coldStarts.length === 0 ? NaN : figures.coldStarts.filter(({ promoted }) => !promoted).length, unit: 'cold starts', must: '<=', bar: 0 },
    { name: 'records without an outcome at the common load', figure: figures.common.length === 0 ? NaN : figures.common.reduce((sum, { unfinished }) => sum + unfinished, 0), unit: 'records', must: '<=', bar: 0 },
  ]; // prettier-ignore
}

/** The published claims are of single figures: so are their bars, and the interval stands beside. */
const told = (ratio: Ratio | undefined): Pick<Bar, 'figure' | 'interval'> => ({
  figure: ratio?.ratio ?? NaN,
  ...(ratio?.low !== undefined && ratio.high !== undefined && { interval: [ratio.low, ratio.high] }),
});

/** Over all loads that vary. Not worse: within a twentieth, whatever the interval, or few repetitions would do; better: what is shown to be, the bound of its 95 % interval. */
function varyingBars({ varyingClaims, varying }: HeadlineFigures): readonly [number, number] {
  const load = varying.length > 1 ? ALL_LOADS : varying[0]?.name;
  const found = varyingClaims.find((one) => one.against === NAMES.static && one.load === load);
  if (found === undefined) return [NaN, NaN];
  const { cost, p95, memorySeconds, served } = found;
  const high = (ratio: Ratio | undefined): number => ratio?.high ?? NaN;
  const ratios = [cost?.ratio, p95?.ratio, memorySeconds?.ratio, served && 1 / served.ratio];
  return [Math.max(...ratios.map((ratio) => ratio ?? NaN)), Math.min(high(cost), high(p95))];
}
