/** The whole of it, part after part: what is wanted first comes first, so that whatever time there is makes an honest report. */
import type { Objective } from '@autoflow/optimizer';
import type { TwinFit } from '../twin/predicted.js';
import { constantCell, type HeadlineCell, type SampledInvocation } from './cell.js';
import type { ColdStart } from './cold-start.js';
import {
  autoflowSide,
  batchedSide,
  capacities,
  commonRate,
  fitted,
  fusedSide,
  risingRates,
  staticPlans,
  staticSide,
  takingTurns,
  writtenSide,
  type Experiment,
  type InLab,
} from './experiment.js';
import type { Capacity } from './capacity.js';
import type { Cell, ForVarying, Results, SideShown, Varying } from './figures.js';
import { NAMES } from './names.js';
import { predictionsOf } from './predictions.js';
import type { Part } from './parts.js';
import type { HeadlineSide } from './side.js';
import { varyingLoads, type VaryingLoad } from './varying.js';

export interface Whole {
  readonly results: Omit<Results, 'code' | 'release' | 'missing'>;
  readonly invocations: readonly SampledInvocation[];
}

export async function measured(
  experiment: Experiment,
  coldStarts: readonly ColdStart[],
  forVarying: readonly ForVarying[],
  objective: Objective,
): Promise<Whole> {
  const { conditions, load, labs, progress } = experiment;
  const forParts = (...parts: readonly [Part, ...Part[]]): InLab => ({ ...experiment, lab: labs.of(...parts) });
  const written = writtenSide(experiment);
  const batched = await Promise.all(conditions.batchSizes.map((records) => batchedSide(experiment, records)));
  const autoflow = await Promise.all(coldStarts.map((one) => autoflowSide(experiment, one)));
  const adapted = await Promise.all(
    forVarying.map(async ({ load: of, coldStart }) => ({ of, side: await autoflowSide(experiment, coldStart) })),
  );
  const fused = coldStarts[0] && (await fusedSide(experiment, coldStarts[0]));

  const found = [
    ...(await capacities(forParts('rates', 'common', 'varying', 'alone'), [written])),
    ...(await capacities(forParts('rates', 'common', 'varying'), batched)),
    ...(await capacities(forParts('rates', 'common'), distinct(autoflow))),
    // Its outcomes are to be those of the others.
    ...(await capacities(
      forParts('varying'),
      adapted.map(({ of, side }) => ({ ...side, name: NAMES.autoflowFor(of) })),
    )),
  ];
  const best = batched.reduce((a, b) => ((capacityOf(found, b) ?? 0) > (capacityOf(found, a) ?? 0) ? b : a));
  const twin = await fitted(forParts('rates', 'common', 'varying'), [written, ...batched], (side) => capacityOf(found, side));
  const loads = await varyingOf(experiment, capacityOf(found, written));
  // The static plan of the other parts is that for the day of the invoices.
  const plans = [
    ...(await plansFor(forParts('rates', 'common', 'varying'), twin, objective, loads.slice(0, 1))),
    ...(await plansFor(forParts('varying'), twin, objective, loads.slice(1))),
  ];
  const fixed = plans[0]?.hindsight;
  const all = [...found, ...(fixed ? await capacities(forParts('rates', 'common'), [fixed]) : [])];

  const compared = (repetition: number): HeadlineSide[] => [written, best, ...(fixed ? [fixed] : []), ...turnOf(autoflow, repetition)];
  const cells: { rates: HeadlineCell[]; common: HeadlineCell[] } = { rates: [], common: [] };
  const perSecond = (side: HeadlineSide): number | undefined => capacityOf(all, side);
  for (let repetition = 0; repetition < conditions.repetitions; repetition++) {
    const rising = await risingRates(forParts('rates'), compared(repetition), perSecond, repetition);
    // What the pipeline as written sustains makes the common rate, for more than one part.
    const own = await risingRates(forParts('rates', 'common', 'alone'), [written], perSecond, repetition);
    cells.rates.push(...new Set([...rising, ...own]));
  }
  const common = commonRate(conditions, cells.rates);
  for (let repetition = 0; common !== undefined && repetition < conditions.repetitions; repetition++)
    cells.common.push(...(await takingTurns(forParts('common'), compared(repetition), constantCell(common, conditions), repetition)));
  const varying = await underVarying(forParts('varying'), loads, plans, adapted);
  const alone = fused ? await fusedAlone(forParts('alone'), fused, written, common) : { capacities: [], rates: [], common: [] };
  const atCommon = [...new Set([...cells.common, ...alone.common])];

  const sides = [
    ...[written, ...batched].map((side) => sideShown(side)),
    ...plans.flatMap(({ load: { name }, hindsight, causal }) =>
      [hindsight, causal].flatMap((side) => (side ? sideShown(side, ` for ${name}`) : [])),
    ),
    ...[fused, ...autoflow].flatMap((side) => (side ? sideShown(side) : [])),
    ...adapted.map(({ of, side }) => ({ ...sideShown(side), name: NAMES.autoflowFor(of) })),
  ];
  const measuredSides = [written, best, fixed, fused, autoflow[0]].filter((side) => side !== undefined);
  return {
    results: {
      conditions,
      load: load.about,
      sides,
      coldStarts,
      forVarying,
      capacities: [...all, ...alone.capacities],
      ...(common !== undefined && { commonRate: common }),
      rates: [...cells.rates, ...alone.rates].map(withoutInvocations),
      common: atCommon.map(withoutInvocations),
      varying: varying.shown,
      predictions:
        twin && common !== undefined
          ? await predictionsOf(experiment.platform.spec, twin, measuredSides, common, conditions.serviceLevelMs, progress)
          : [],
    },
    invocations: [...cells.rates, ...atCommon, ...varying.cells, ...alone.rates].flatMap(({ invocations }) => invocations),
  };
}

/** Cold starts may come to the same version. */
const distinct = (sides: readonly HeadlineSide[]): HeadlineSide[] => [...new Map(sides.map((side) => [side.plan, side])).values()];

/** Repetitions take the results of the cold starts in turn. */
const turnOf = (sides: readonly HeadlineSide[], repetition: number): HeadlineSide[] =>
  sides.length === 0 ? [] : [sides[repetition % sides.length]!];

/** By what they run: several may have one name. */
const capacityOf = (found: readonly Capacity[], { plan }: HeadlineSide): number | undefined =>
  found.find((one) => one.plan === plan)?.perSecond;

async function varyingOf({ conditions, load }: Experiment, capacity: number | undefined): Promise<VaryingLoad[]> {
  if (capacity === undefined) return [];
  return varyingLoads({
    seconds: conditions.traceSeconds,
    rate: Number((conditions.traceTimes * capacity).toPrecision(3)),
    invoices: load.all,
    dataFolder: process.env['AUTOFLOW_DATA'],
  });
}

interface PlansFor {
  readonly load: VaryingLoad;
  readonly plans: Varying['plans'];
  readonly hindsight?: HeadlineSide;
  readonly causal?: HeadlineSide;
}

async function plansFor(
  experiment: InLab,
  twin: TwinFit | undefined,
  objective: Objective,
  loads: readonly VaryingLoad[],
): Promise<PlansFor[]> {
  if (twin === undefined) return [];
  const found: PlansFor[] = [];
  for (const load of loads) {
    const { hindsight, causal } = await staticPlans(experiment, twin, objective, load);
    found.push({
      load,
      plans: { ...(hindsight && { hindsight }), ...(causal && { causal }) },
      ...(hindsight && { hindsight: await staticSide(experiment, NAMES.static, hindsight) }),
      ...(causal && { causal: await staticSide(experiment, NAMES.causal, causal) }),
    });
  }
  return found;
}

async function underVarying(
  experiment: InLab,
  loads: readonly VaryingLoad[],
  plans: readonly PlansFor[],
  adapted: readonly { readonly of: string; readonly side: HeadlineSide }[],
): Promise<{ readonly shown: Varying[]; readonly cells: HeadlineCell[] }> {
  const cells = loads.map(() => [] as HeadlineCell[]);
  for (let repetition = 0; repetition < experiment.conditions.repetitions; repetition++)
    for (const [i, { name, trace }] of loads.entries()) {
      const { hindsight, causal } = plans[i] ?? {};
      const autoflow = adapted.find(({ of }) => of === name)?.side;
      const sides = [hindsight, causal, autoflow].filter((side) => side !== undefined);
      cells[i]!.push(...(await takingTurns(experiment, sides, trace, repetition)));
    }
  const shown = loads.map(({ name, about, lag1, peak }, i): Varying => ({
    name,
    about,
    lag1,
    peak,
    plans: plans[i]?.plans ?? {},
    cells: cells[i]!.map(withoutInvocations),
  }));
  return { shown, cells: cells.flat() };
}

/** At the common load beside the pipeline as written, which is taken from there where it was measured with the others. */
async function fusedAlone(experiment: InLab, fused: HeadlineSide, written: HeadlineSide, common: number | undefined) {
  const { conditions } = experiment;
  const found = await capacities(experiment, [fused]);
  const [rates, atCommon]: [HeadlineCell[], HeadlineCell[]] = [[], []];
  for (let repetition = 0; repetition < conditions.repetitions; repetition++) {
    rates.push(...(await risingRates(experiment, [fused], (side) => capacityOf(found, side), repetition)));
    if (common !== undefined)
      atCommon.push(...(await takingTurns(experiment, [written, fused], constantCell(common, conditions), repetition)));
  }
  return { capacities: found, rates, common: atCommon };
}

function sideShown({ name, version: { topology }, start }: HeadlineSide, of = ''): SideShown {
  return {
    name: `${name}${of}`,
    stages: topology.stages.map((stage) => stage.name),
    batch: topology.batch.records,
    lingerMs: topology.lingerMs,
    start,
  };
}

function withoutInvocations({ invocations: _, ...cell }: HeadlineCell): Cell {
  return cell;
}
