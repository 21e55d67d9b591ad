/** The whole of it, part after part: what is wanted first comes first, so that whatever time there is makes an honest report. */
import type { Objective } from '@autoflow/optimizer';
import type { TwinFit } from '../twin/predicted.js';
import { constantLoad, type HeadlineCell, type SampledInvocation } from './cell.js';
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
} from './experiment.js';
import type { Capacity } from './capacity.js';
import type { Cell, Results, SideShown, Varying } from './figures.js';
import { NAMES } from './names.js';
import { predictionsOf } from './predictions.js';
import type { HeadlineSide } from './side.js';
import { varyingLoads, type VaryingLoad } from './varying.js';

export type Part = 'rates' | 'common' | 'varying' | 'alone';

export interface Whole {
  readonly results: Omit<Results, 'code' | 'release' | 'missing'>;
  readonly invocations: readonly SampledInvocation[];
}

export async function measured(
  experiment: Experiment,
  coldStarts: readonly ColdStart[],
  objective: Objective,
  parts: ReadonlySet<Part>,
): Promise<Whole> {
  const { conditions, load, progress } = experiment;
  const written = writtenSide(experiment);
  const batched = await Promise.all(conditions.batchSizes.map((records) => batchedSide(experiment, records)));
  const autoflow = await Promise.all(coldStarts.map((one) => autoflowSide(experiment, one)));
  const fused = coldStarts[0] && (await fusedSide(experiment, coldStarts[0]));

  const found = await capacities(experiment, distinct([written, ...batched, ...autoflow]));
  const best = batched.reduce((a, b) => ((capacityOf(found, b) ?? 0) > (capacityOf(found, a) ?? 0) ? b : a));
  const twin = await fitted(experiment, [written, ...batched]);
  const loads = await varyingOf(experiment, capacityOf(found, written), parts.has('varying'));
  const plans = await plansFor(experiment, twin, objective, loads);
  const fixed = plans[0]?.hindsight;
  const all = [...found, ...(fixed ? await capacities(experiment, [fixed]) : [])];

  const compared = (repetition: number): HeadlineSide[] => [written, best, ...(fixed ? [fixed] : []), ...turnOf(autoflow, repetition)];
  const cells: { rates: HeadlineCell[]; common: HeadlineCell[] } = { rates: [], common: [] };
  let common: number | undefined;
  for (let repetition = 0; repetition < conditions.repetitions; repetition++) {
    if (parts.has('rates') || (parts.has('common') && repetition === 0))
      cells.rates.push(
        ...(await risingRates(
          experiment,
          parts.has('rates') ? compared(repetition) : [written],
          (side) => capacityOf(all, side),
          repetition,
        )),
      );
    common ??= commonRate(experiment, cells.rates);
    if (common !== undefined && parts.has('common'))
      cells.common.push(...(await takingTurns(experiment, compared(repetition), constantLoad(common, conditions.seconds), repetition)));
  }
  const varying = parts.has('varying') ? await underVarying(experiment, loads, plans, autoflow) : { shown: [], cells: [] };
  const alone = parts.has('alone') && fused ? await fusedAlone(experiment, fused, common) : { capacities: [], rates: [], common: [] };

  const sides = [
    ...[written, ...batched].map((side) => sideShown(side)),
    ...plans.flatMap(({ load: { name }, hindsight, causal }) =>
      [hindsight, causal].flatMap((side) => (side ? sideShown(side, ` for ${name}`) : [])),
    ),
    ...[fused, ...autoflow].flatMap((side) => (side ? sideShown(side) : [])),
  ];
  const measuredSides = [written, best, fixed, fused, autoflow[0]].filter((side) => side !== undefined);
  return {
    results: {
      conditions,
      load: load.about,
      sides,
      coldStarts,
      capacities: [...all, ...alone.capacities],
      ...(common !== undefined && { commonRate: common }),
      rates: [...cells.rates, ...alone.rates].map(withoutInvocations),
      common: [...cells.common, ...alone.common].map(withoutInvocations),
      varying: varying.shown,
      predictions:
        twin && common !== undefined
          ? await predictionsOf(experiment.platform.spec, twin, measuredSides, common, conditions.serviceLevelMs, progress)
          : [],
    },
    invocations: [...cells.rates, ...cells.common, ...varying.cells, ...alone.rates, ...alone.common].flatMap(
      ({ invocations }) => invocations,
    ),
  };
}

/** Cold starts may come to the same version. */
const distinct = (sides: readonly HeadlineSide[]): HeadlineSide[] => [...new Map(sides.map((side) => [side.version.name, side])).values()];

/** Repetitions take the results of the cold starts in turn. */
const turnOf = (sides: readonly HeadlineSide[], repetition: number): HeadlineSide[] =>
  sides.length === 0 ? [] : [sides[repetition % sides.length]!];

/** By version: several may have one name. */
const capacityOf = (found: readonly Capacity[], { version }: HeadlineSide): number | undefined =>
  found.find((one) => one.version === version.name)?.perSecond;

/** Without the part, the day of the invoices alone: the static plan of the other parts is that for it. */
async function varyingOf({ conditions, load }: Experiment, capacity: number | undefined, all: boolean): Promise<VaryingLoad[]> {
  if (capacity === undefined) return [];
  return varyingLoads({
    seconds: conditions.traceSeconds,
    rate: Number((conditions.traceTimes * capacity).toPrecision(3)),
    invoices: load.all,
    dataFolder: all ? process.env['AUTOFLOW_DATA'] : undefined,
  });
}

interface PlansFor {
  readonly load: VaryingLoad;
  readonly plans: Varying['plans'];
  readonly hindsight?: HeadlineSide;
  readonly causal?: HeadlineSide;
}

async function plansFor(
  experiment: Experiment,
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
  experiment: Experiment,
  loads: readonly VaryingLoad[],
  plans: readonly PlansFor[],
  autoflow: readonly HeadlineSide[],
): Promise<{ readonly shown: Varying[]; readonly cells: HeadlineCell[] }> {
  const cells = loads.map(() => [] as HeadlineCell[]);
  for (let repetition = 0; repetition < experiment.conditions.repetitions; repetition++)
    for (const [i, { trace }] of loads.entries()) {
      const { hindsight, causal } = plans[i] ?? {};
      const sides = [hindsight, causal, ...turnOf(autoflow, repetition)].filter((side) => side !== undefined);
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

async function fusedAlone(experiment: Experiment, fused: HeadlineSide, common: number | undefined) {
  const { conditions } = experiment;
  const found = await capacities(experiment, [fused]);
  const [rates, atCommon]: [HeadlineCell[], HeadlineCell[]] = [[], []];
  for (let repetition = 0; repetition < conditions.repetitions; repetition++) {
    rates.push(...(await risingRates(experiment, [fused], (side) => capacityOf(found, side), repetition)));
    if (common !== undefined)
      atCommon.push(...(await takingTurns(experiment, [fused], constantLoad(common, conditions.seconds), repetition)));
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
