import type { MeasuredHistory, MeasuredStretch } from '@autoflow/optimizer';
import { medianOf, planModel, PlanError } from '@autoflow/twin';
import { FeatureError } from '../../feature-error.js';
import { planFeatures, type ScoredLoad } from '../../features.js';
import { labelsOf, loadOf, type LabelledGroup, type LabelledPlan } from '../labels.js';

/** A plan that was measured for real counts as much as so many that the twin judged. */
export const MEASURED_WEIGHT = 8;
/** Rates within this factor of each other are one load: its plans may be compared. */
const LOAD_FACTOR = 1.5;
/** Stretches of one version and allocation under one load that differ by more do not tell one thing. */
const DISAGREEMENT = 4;

export interface MeasuredGroups {
  /** One for each load. */
  readonly groups: readonly LabelledGroup[];
  /** Of each plan of a group, in its order. */
  readonly versions: readonly (readonly string[])[];
  readonly leftOut: number;
  /** Versions whose stretches contradict each other. */
  readonly contradictory: readonly string[];
}

/** Stretches as labelled plans, by load. What is no finite positive number, what cannot be featured and what contradicts itself is left out. */
export function measuredGroups(history: MeasuredHistory): MeasuredGroups {
  const sound = history.stretches.filter(isSound);
  const groups: LabelledGroup[] = [];
  const versions: string[][] = [];
  const contradictory = new Set<string>();
  let used = 0;
  for (const stretches of byLoad(sound)) {
    // Nothing was promised to a stretch.
    const load = loadOf({ ratePerSecond: medianOf(stretches.map(({ ratePerSecond }) => ratePerSecond)), objective: { minimise: 'cost' } });
    const agreeing = stretches.filter((one) => !disagrees(one, stretches));
    for (const one of stretches) if (!agreeing.includes(one)) contradictory.add(one.version);
    const plans = agreeing.flatMap((one) => {
      const plan = labelledStretch(history, one, load);
      return plan === undefined ? [] : [{ plan, version: one.version }];
    });
    if (plans.length === 0) continue;
    used += plans.length;
    groups.push({ family: `measured:${history.spec.name}`, load, plans: plans.map(({ plan }) => plan), executions: 0 });
    versions.push(plans.map(({ version }) => version));
  }
  return { groups, versions, leftOut: history.stretches.length - used, contradictory: [...contradictory].sort() };
}

const isSound = ({ ratePerSecond, costPer1000, p95Ms, throughput }: MeasuredStretch): boolean =>
  [ratePerSecond, costPer1000, p95Ms, throughput].every((value) => Number.isFinite(value) && value > 0);

/** Neighbours in the order of their rates, as long as the first and the last are of one load. */
function byLoad(stretches: readonly MeasuredStretch[]): MeasuredStretch[][] {
  const loads: MeasuredStretch[][] = [];
  for (const one of stretches.toSorted((a, b) => a.ratePerSecond - b.ratePerSecond)) {
    const last = loads.at(-1);
    if (last !== undefined && one.ratePerSecond <= LOAD_FACTOR * last[0]!.ratePerSecond) last.push(one);
    else loads.push([one]);
  }
  return loads;
}

/** From the median of its like, where there are three of them at least. */
function disagrees(one: MeasuredStretch, among: readonly MeasuredStretch[]): boolean {
  const alike = among.filter(
    (other) => other.version === one.version && JSON.stringify(other.allocation) === JSON.stringify(one.allocation),
  );
  if (alike.length < 3) return false;
  const apart = (of: (stretch: MeasuredStretch) => number): number => Math.abs(Math.log(of(one) / medianOf(alike.map(of))));
  return Math.max(apart(({ costPer1000 }) => costPer1000), apart(({ p95Ms }) => p95Ms)) > Math.log(DISAGREEMENT); // prettier-ignore
}

function labelledStretch(history: MeasuredHistory, stretch: MeasuredStretch, load: ScoredLoad): LabelledPlan | undefined {
  const { spec, models, host, recordBytes } = history;
  const { topology, allocation, ratePerSecond } = stretch;
  try {
    const features = planFeatures(planModel({ spec, topology, models, host, recordBytes }), allocation, load);
    return { features, labels: labelsOf(stretch, ratePerSecond, load), weight: MEASURED_WEIGHT };
  } catch (error) {
    if (error instanceof PlanError || error instanceof FeatureError) return undefined;
    throw error;
  }
}
