/** The experiment, part after part; within a part sides take turns, in an order that alternates from one repetition to the next. */
import { availableParallelism } from 'node:os';
import { hostOf, type Objective } from '@autoflow/optimizer';
import type { Fields } from '@autoflow/pipeline';
import { defaultAllocation, defaultEnvelope, hashTopology, MEMORY_SIZES_MB, type Topology } from '@autoflow/topology';
import { inBatchesOf } from '../cells/fixed-batches.js';
import type { Invoices } from '../cells/invoices.js';
import { inboxDoor, METERED_WITHIN_MS, underLoad, untilIdle } from '../cells/load.js';
import { runThrough } from '../live.js';
import { fitOf, type TwinFit } from '../twin/predicted.js';
import { systemClock } from '@autoflow/cli/load';
import type { Trace } from '@autoflow/twin';
import { bestStatic, type StaticPlan } from './best-static.js';
import { measureCapacity, type Capacity } from './capacity.js';
import { constantCell, constantLoad, measureUnder, type HeadlineCell } from './cell.js';
import type { ColdStart } from './cold-start.js';
import type { HeadlineConditions } from './conditions.js';
import type { Cell } from './figures.js';
import type { Labs } from './parts.js';
import type { Lab } from './lab.js';
import { NAMES } from './names.js';
import { byRepetition, keepsUp, nextShare, saturationOf } from './rates.js';
import { activate, type HeadlineSide, type Rig } from './side.js';
import type { VaryingLoad } from './varying.js';

export type Measured = ColdStart | Capacity | HeadlineCell | TwinFit | StaticPlan;

export interface Experiment extends Rig {
  readonly labs: Labs<Measured>;
  readonly load: Invoices;
  readonly progress: (line: string) => void;
}
/** A part of it. */
export interface InLab extends Omit<Experiment, 'labs'> {
  readonly lab: Lab<Measured>;
}

/** Executions of each side that the twin is fitted to, at least. */
const FITTED_EXECUTIONS = 40;
/** What the twin is fitted to beside a backlog. */
const LIGHT = { share: 0.3, seconds: 20 };
/** From one repetition to the next: other invoices, and the same for every side. */
const INVOICES_APART = 1_000;

const planOf = (topology: Topology): string => hashTopology(topology).slice(0, 8);

/** Baseline 1: one record per execution, an activity for each function, 1,024 MB and four instances, never changed. */
export function writtenSide({ platform: { asWritten, spec } }: Rig): HeadlineSide {
  const { topology } = asWritten;
  return {
    name: NAMES.written,
    plan: planOf(topology),
    version: asWritten,
    start: defaultAllocation(spec, topology, defaultEnvelope(spec, topology)),
    controlled: false,
  };
}

/** Baseline 2: the same in batches of one size. */
export async function batchedSide({ platform }: Rig, records: number): Promise<HeadlineSide> {
  return sideOf(platform, NAMES.batched(records), inBatchesOf(records, platform.asWritten.topology));
}

/** What a cold start came to, with the allocation it began with and Allocation running. */
export async function autoflowSide({ platform }: Rig, { plan: { topology, envelope, allocation } }: ColdStart): Promise<HeadlineSide> {
  const version = await platform.version(topology, allocation, envelope);
  return { name: NAMES.autoflow, plan: planOf(topology), version, start: allocation, controlled: true };
}

/** Its topology with one record per execution, and nothing that changes: what fusion alone brings. */
export async function fusedSide({ platform }: Rig, { plan: { topology } }: ColdStart): Promise<HeadlineSide> {
  return sideOf(platform, NAMES.fused, { ...topology, batch: { ...topology.batch, records: 1 }, lingerMs: 0 });
}

export async function staticSide({ platform }: Rig, name: string, { topology, allocation }: StaticPlan): Promise<HeadlineSide> {
  return { name, plan: planOf(topology), version: await platform.version(topology, allocation), start: allocation, controlled: false };
}

async function sideOf(platform: Rig['platform'], name: string, topology: Topology): Promise<HeadlineSide> {
  const start = defaultAllocation(platform.spec, topology, defaultEnvelope(platform.spec, topology));
  return { name, plan: planOf(topology), version: await platform.version(topology, start), start, controlled: false };
}

/** What each side can do out of a backlog, and that its outcomes are the others'. */
export async function capacities(experiment: InLab, sides: readonly HeadlineSide[]): Promise<Capacity[]> {
  const { lab, load, conditions } = experiment;
  const same = load.all.slice(0, conditions.sameInvoices);
  const found: Capacity[] = [];
  for (const side of sides) {
    const one = await lab.take(`capacity of ${nameOf(side)}`, () => measureCapacity(experiment, side, same, load.from(0)));
    if (one !== undefined) found.push(one);
  }
  return found;
}

/**
 * The twin, fitted to what the pipeline as written did, one by one and in batches, when its instances were warm: what baseline 3 is searched with. Cold
 * starts would be taken for work, and a few executions tell little of what a record costs. A backlog tells what a stack can do, but all wait there:
 * what nothing is in the way of takes, only a light load tells.
 */
export function fitted(
  experiment: InLab,
  sides: readonly HeadlineSide[],
  capacityOf: (side: HeadlineSide) => number | undefined,
): Promise<TwinFit | undefined> {
  const { platform, lab, load, conditions } = experiment;
  const { spec, store } = platform;
  return lab.take('the twin', async () => {
    const warmFrom: (readonly [HeadlineSide, Date])[] = [];
    for (const side of sides) {
      await activate(experiment, side);
      await runThrough(platform, load.all.slice(0, conditions.sameInvoices));
      warmFrom.push([side, new Date(await store.ended.clock())]);
      const records = Math.max(conditions.sameInvoices, FITTED_EXECUTIONS * side.version.topology.batch.records);
      await runThrough(platform, manyOf(load, spec.key, records));
      await lightLoad(experiment, LIGHT.share * (capacityOf(side) ?? 0));
    }
    await systemClock.sleepUntil(systemClock.now() + METERED_WITHIN_MS);
    const rows = await Promise.all(
      warmFrom.map(async ([{ version }, since]) => {
        const all = await store.metrics.invocations({ pipeline: spec.name, version: version.name, limit: 20_000 });
        return all.filter(({ startedAt }) => startedAt >= since);
      }),
    );
    return fitOf(spec, rows.flat(), hostOf(rows.flat(), availableParallelism()));
  });
}

async function lightLoad({ platform, load, conditions }: InLab, rate: number): Promise<void> {
  if (rate === 0) return;
  const loaded = await underLoad({
    platform,
    trace: constantLoad(rate, LIGHT.seconds),
    seed: 1,
    warmUpMs: 0,
    drainMs: conditions.drainSeconds * 1000,
    records: load.from(0),
    door: (run) => inboxDoor(platform, run),
  });
  await untilIdle(loaded);
}

function manyOf(load: Invoices, key: string, count: number): Fields[] {
  const next = load.from(0);
  return Array.from({ length: count }, (_, i) => {
    const fields = next();
    return { ...fields, [key]: `${String(fields[key])}-${i}` };
  });
}

/** Baseline 3 of a varying load: tuned on itself, and on the window before. */
export async function staticPlans(experiment: InLab, twin: TwinFit, objective: Objective, varying: VaryingLoad) {
  const { platform, lab, conditions } = experiment;
  const problem = {
    spec: platform.spec,
    start: { topology: platform.asWritten.topology, allocation: writtenSide(experiment).start },
    models: twin.models,
    host: twin.host,
    recordBytes: twin.recordBytes,
    limits: { memoryMb: MEMORY_SIZES_MB, instances: 32 },
    seed: 1,
  };
  const { staticEvaluations, causal } = conditions;
  return {
    hindsight: await lab.take(`${NAMES.static} for ${varying.name}`, () =>
      bestStatic(problem, objective, varying.trace, varying.peak, staticEvaluations),
    ),
    causal: causal
      ? await lab.take(`${NAMES.causal} for ${varying.name}`, () =>
          bestStatic(problem, objective, varying.before, varying.peakBefore, staticEvaluations),
        )
      : undefined,
  };
}

/** Rising rates of every side, in every repetition. */
export async function risingRates(
  experiment: InLab,
  sides: readonly HeadlineSide[],
  capacityOf: (side: HeadlineSide) => number | undefined,
  repetition: number,
): Promise<HeadlineCell[]> {
  const { lab, load, conditions } = experiment;
  const climbs = sides.map((side) => ({ side, cells: [] as HeadlineCell[], tried: [] as { share: number; sustained: boolean }[] }));
  for (let open = climbs, turn = repetition; open.length > 0; turn++) {
    const going: typeof climbs = [];
    for (const climb of turn % 2 === 0 ? open : open.toReversed()) {
      const capacity = capacityOf(climb.side);
      const share = nextShare(conditions.rungs, climb.tried);
      if (share === undefined || capacity === undefined) continue;
      const rate = Number((share * capacity).toPrecision(3));
      const cell = await lab.take(`${nameOf(climb.side)} @ ${rate} #${repetition}`, () =>
        measureUnder(experiment, climb.side, constantCell(rate, conditions), repetition, invoicesOf(load, repetition)),
      );
      if (cell === undefined) continue;
      climb.cells.push(cell);
      climb.tried.push({ share, sustained: keepsUp(cell, conditions.serviceLevelMs) });
      going.push(climb);
    }
    open = climbs.filter((climb) => going.includes(climb));
  }
  return climbs.flatMap(({ cells }) => cells);
}

/**
 * Where the slowest is comfortable in every repetition: latency, cost and utilisation are compared here. Where it sustains nothing in one, below the
 * lowest rate that it was given there.
 */
export function commonRate(
  { commonShare, serviceLevelMs }: Pick<HeadlineConditions, 'commonShare' | 'serviceLevelMs'>,
  cells: readonly Cell[],
): number | undefined {
  const written = cells.filter(({ side }) => side === NAMES.written);
  const saturations = byRepetition(written).map((own) => saturationOf(own, serviceLevelMs) ?? Math.min(...own.map(({ rate }) => rate)));
  return saturations.length === 0 ? undefined : Number((commonShare * Math.min(...saturations)).toPrecision(3));
}

/** All sides under one load. */
export async function takingTurns(
  experiment: InLab,
  sides: readonly HeadlineSide[],
  trace: Trace,
  repetition: number,
): Promise<HeadlineCell[]> {
  const { lab, load } = experiment;
  const cells: HeadlineCell[] = [];
  for (const side of repetition % 2 === 0 ? sides : sides.toReversed()) {
    const rate = ((1000 * trace.expected) / trace.durationMs).toPrecision(3);
    const cell = await lab.take(`${nameOf(side)} under ${trace.name} of ${rate}/s #${repetition}`, () =>
      measureUnder(experiment, side, trace, repetition, invoicesOf(load, repetition)),
    );
    if (cell !== undefined) cells.push(cell);
  }
  return cells;
}

const invoicesOf = (load: Invoices, repetition: number): (() => Fields) => load.from(repetition * INVOICES_APART);

/** Results of several cold starts are sides of one name: cells are told apart by what they measured. */
const nameOf = ({ name, plan }: HeadlineSide): string => (name === NAMES.autoflow ? `${name} ${plan}` : name);
