/**
 * AutoFlow from a cold start, on a stack of its own: the pipeline as written is deployed and under load, nothing was ever measured; an optimization
 * is asked for, registers a version, and a rollout proves it on that traffic. What all of it takes is the cost of optimizing itself.
 */
import { createRequire } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';
import { createClient, type AutoFlowClient, type OptimizationDetail, type Rollout } from '@autoflow/client';
import { createControlPlane } from '@autoflow/control-plane';
import type { Allocation, Envelope, Topology } from '@autoflow/topology';
import type { TrainingPoint } from '@autoflow/store';
import { inboxDoor, METERED_WITHIN_MS, underLoad, type Loaded } from '../cells/load.js';
import { invoices, type Invoices } from '../cells/invoices.js';
import { startRetailStack } from '../cells/retail-stack.js';
import { runThrough } from '../live.js';
import type { BenchPlatform } from '../platform.js';
import { constantLoad } from './cell.js';
import { watchCpu } from './cpu-watch.js';
import type { HeadlineConditions } from './conditions.js';

export interface ColdStart {
  /** What AutoFlow came to; as the version that was there, if it would rather keep that. */
  readonly plan: { readonly topology: Topology; readonly envelope: Envelope; readonly allocation: Allocation };
  /** What was asked for, beside the least cost: p95 no later than the mean of the pipeline as written. */
  readonly objective: { readonly p95Ms: number; readonly p99Ms: number };
  readonly promoted: boolean;
  /** How the rollout ended, or why there was none. */
  readonly outcome: string;
  readonly ratePerSecond: number;
  readonly seconds: { readonly measuring: number; readonly optimizing: number; readonly rollout: number };
  /** Latency and cost of the traffic meanwhile, all versions together where a canary runs. */
  readonly phases: readonly Phase[];
  readonly cost: OptimizingCost;
  readonly optimization: Pick<OptimizationDetail, 'decisions' | 'error' | 'found' | 'allocated' | 'ratePerSecond' | 'measured'>;
  readonly rollout?: Pick<Rollout, 'state' | 'outcome' | 'steps' | 'shadow' | 'judgement' | 'harm' | 'settings'>;
  /** Of the agent that was trained beside the search. */
  readonly rewardCurve: readonly TrainingPoint[];
}

export interface Phase {
  readonly name: 'as written' | 'optimizing' | 'rollout';
  readonly records: number;
  readonly p95Ms: number;
  readonly costPer1000?: number;
}

export interface OptimizingCost {
  /** CPU of the processes that fit, search and train. */
  readonly cpuSeconds: number;
  /** Records that went in batches because the feeder's probes did not do; what they cost at list prices. */
  readonly probes: { readonly records: number; readonly usd: number };
  /** What the canary cost more than the version before would have (negative: less), and all of its cost. */
  readonly canary: { readonly extraUsd: number; readonly usd: number };
}

interface Cold {
  readonly platform: BenchPlatform;
  readonly api: AutoFlowClient;
  readonly conditions: HeadlineConditions;
  readonly load: Invoices;
  readonly progress: (line: string) => void;
}

const PIPELINE = 'retail-orders';
const WARM_UP = 40;
const BURST = 80;
const POLL_MS = 500;
const HARM_WITHIN_MS = 60_000;
const PROGRAM_OF = { optimizer: '@autoflow/learning/optimizer', learner: '@autoflow/learning/learner', controller: '@autoflow/learning/controller' }; // prettier-ignore

export async function coldStart(conditions: HeadlineConditions, progress: (line: string) => void): Promise<ColdStart> {
  const stack = await startRetailStack({ onFile: false });
  const { platform } = stack;
  let controlPlane: Awaited<ReturnType<typeof createControlPlane>> | undefined;
  try {
    controlPlane = await createControlPlane({ store: platform.store, temporal: platform.client });
    const api = createClient({ url: controlPlane.url, token: await platform.store.access.createToken('benchmark', 'admin') });
    const worker = await platform.startWorker(
      {
        controller: { program: program('controller') },
        optimizer: { program: program('optimizer') },
        learner: { program: program('learner') },
        recordShare: conditions.coldStart.recordShare,
      },
      ['workflows', 'functions', 'feeder', 'control', 'learner'],
    );
    return await fromCold({ platform, api, conditions, load: await invoices(platform.spec), progress }, worker.pid);
  } finally {
    await controlPlane?.close();
    await stack.stop();
  }
}

const program = (name: keyof typeof PROGRAM_OF): string => createRequire(import.meta.url).resolve(PROGRAM_OF[name]);

async function fromCold(cold: Cold, workerPid: number): Promise<ColdStart> {
  const { platform, api, conditions, progress } = cold;
  const settings = conditions.coldStart;
  await api.settings.change(
    PIPELINE,
    {
      // With settings of its own the rollout is asked for; with the usual ones AutoFlow begins it by itself.
      autonomy: settings.rollout === undefined ? 'auto' : 'suggest',
      objective: { minimise: 'cost', p99Ms: conditions.serviceLevelMs },
      reason: 'headline',
    },
    '*',
  );
  const rate = await rateFor(cold);
  const traffic = startTraffic(cold, rate);
  const cpu = watchCpu(workerPid);
  try {
    progress(`cold start: ${rate.toFixed(1)} records/s on the pipeline as written`);
    const began = Date.now();
    await delay(settings.seconds * 1000);
    const found = await optimized(cold, traffic.scope());
    const { optimization, probes } = found;
    const version = optimization.registered;
    progress(`cold start: ${optimization.decisions.at(-1)?.reason ?? optimization.state}`);
    const rolling = Date.now();
    const rollout = version === undefined ? undefined : await rolledOut(cold, version, optimization.rollout);
    const ended = Date.now();
    progress(`cold start: ${rollout === undefined ? 'nothing was rolled out' : `${rollout.state}: ${rollout.outcome ?? ''}`}`);
    await traffic.stop();
    await delay(METERED_WITHIN_MS);
    const row = await api.versions.show(PIPELINE, version ?? 'v1');
    const { stages } = await api.allocations.show(PIPELINE, row.name);
    return {
      plan: { topology: row.topology as Topology, envelope: row.envelope as Envelope, allocation: stages },
      objective: found.objective,
      promoted: rollout?.state === 'promoted',
      outcome: rollout?.outcome ?? rollout?.state ?? optimization.reason ?? optimization.state,
      ratePerSecond: rate,
      seconds: {
        measuring: (found.startedAt - began) / 1000,
        optimizing: (rolling - found.startedAt) / 1000,
        rollout: (ended - rolling) / 1000,
      },
      phases: await phasesOf(cold, { began, optimizing: found.startedAt, rolling, ended }),
      cost: {
        cpuSeconds: cpu.stop(),
        probes,
        canary: { extraUsd: rollout?.harm?.extraUsd ?? 0, usd: rollout?.harm?.costUsd ?? 0 },
      },
      optimization: shown(optimization),
      ...(rollout && { rollout: shownRollout(rollout) }),
      rewardCurve: await platform.store.trainings.curve(`optimization-${optimization.id}`),
    };
  } finally {
    await traffic.stop();
    cpu.stop();
  }
}

/** A share of what the pipeline as written does out of a backlog. */
async function rateFor({ platform, conditions, load }: Cold): Promise<number> {
  const some = (count: number, mark: string) =>
    Array.from({ length: count }, (_, i) => ({ ...load.next(), [platform.spec.key]: `${mark}-${i}` }));
  await runThrough(platform, some(WARM_UP, 'warm'));
  const { perSecond } = await runThrough(platform, some(BURST, 'burst'));
  return Number((conditions.coldStart.share * perSecond).toPrecision(3));
}

const LONGEST_S = 6 * 3_600;

function startTraffic({ platform, load }: Cold, rate: number): { scope(): string; stop(): Promise<Loaded> } {
  const over = new AbortController();
  let scope = '';
  const loaded = underLoad({
    platform,
    trace: constantLoad(rate, LONGEST_S),
    seed: 1,
    warmUpMs: 0,
    drainMs: 30_000,
    records: load.next,
    door: (run) => inboxDoor(platform, { scope: (scope = run.scope) }),
    signal: over.signal,
  });
  loaded.catch(() => {});
  return {
    scope: () => scope,
    stop: () => {
      over.abort();
      return loaded;
    },
  };
}

interface Found {
  readonly objective: ColdStart['objective'];
  readonly optimization: OptimizationDetail;
  /** When the one that counts was asked for, the probes before it included. */
  readonly startedAt: number;
  readonly probes: OptimizingCost['probes'];
}

async function optimized(cold: Cold, scope: string): Promise<Found> {
  const { api, conditions } = cold;
  const { attempts, times, searchSeconds, training } = conditions.coldStart;
  const startedAt = Date.now();
  const objective = await objectiveOf(cold, scope);
  const probes = { records: 0, usd: 0 };
  for (let attempt = 1; ; attempt++) {
    // The feeder's own probes tell what a batch costs; where they were too few, more records go in batches.
    if (attempt > 1) {
      const probed = await probe(cold, attempt);
      probes.records += probed.records;
      probes.usd += probed.usd;
    }
    const { id } = await api.optimizations.start(PIPELINE, {
      times,
      ...objective,
      seconds: searchSeconds,
      training,
      scope,
      since: '1h',
      reason: 'headline',
    });
    const optimization = await ended(
      () => api.optimizations.show(PIPELINE, id),
      ({ state }) => state !== 'running',
    );
    for (const { step, reason } of optimization.decisions) cold.progress(`  ${step}: ${reason}`);
    if (optimization.registered !== undefined || attempt === attempts) return { objective, optimization, startedAt, probes };
  }
}

async function objectiveOf({ api, conditions }: Cold, scope: string): Promise<ColdStart['objective']> {
  const { rows } = await api.pipelines.metrics(PIPELINE, { version: 'v1', scope });
  return { p95Ms: Math.round(rows[0]!.latency.mean), p99Ms: conditions.serviceLevelMs };
}

/** A few of the invoices go in batches. */
async function probe({ api, conditions, load }: Cold, attempt: number): Promise<OptimizingCost['probes']> {
  const { batchRecords, batches } = conditions.coldStart.probes;
  const scope = `probes-${attempt}`;
  const from = new Date();
  const { id } = await api.backfills.start(PIPELINE, {
    source: load.source,
    scope,
    limit: batches * batchRecords,
    batchRecords,
    concurrency: 4,
    maxShare: 1,
  });
  await ended(
    () => api.backfills.show(PIPELINE, id),
    ({ state }) => state !== 'running',
  );
  await delay(METERED_WITHIN_MS);
  const { rows } = await api.pipelines.metrics(PIPELINE, { from: from.toISOString(), to: new Date().toISOString(), scope });
  const [row] = rows;
  return { records: row?.records ?? 0, usd: ((row?.records ?? 0) / 1000) * (row?.costPer1000?.all ?? 0) };
}

/** Undefined: AutoFlow would not begin one; the optimization says why. */
async function rolledOut({ api, conditions }: Cold, version: string, own: string | undefined): Promise<Rollout | undefined> {
  const { rollout: settings, rolloutWithinSeconds } = conditions.coldStart;
  const id =
    own ?? (settings === undefined ? undefined : (await api.rollouts.start(PIPELINE, { version, ...settings, reason: 'headline' })).id);
  if (id === undefined) return undefined;
  const deadline = Date.now() + rolloutWithinSeconds * 1000;
  const last = await ended(
    () => api.rollouts.show(PIPELINE, id),
    (rollout) => rollout.endedAt !== undefined || Date.now() > deadline,
  );
  if (last.endedAt === undefined) await api.rollouts.abort(PIPELINE, id, 'not decided in the time of the benchmark');
  // What a canary did is measured once it has ended.
  return last.steps.length === 0
    ? last
    : ended(
        () => api.rollouts.show(PIPELINE, id),
        ({ harm }) => harm !== undefined || Date.now() > deadline + HARM_WITHIN_MS,
      );
}

async function ended<T>(look: () => Promise<T>, is: (one: T) => boolean): Promise<T> {
  for (;;) {
    const one = await look();
    if (is(one)) return one;
    await delay(POLL_MS);
  }
}

async function phasesOf(
  { platform: { store, spec } }: Cold,
  at: { readonly began: number; readonly optimizing: number; readonly rolling: number; readonly ended: number },
): Promise<Phase[]> {
  const of = async (name: Phase['name'], from: number, to: number): Promise<Phase[]> => {
    const rows = await store.metrics.metrics({ pipeline: spec.name, by: 'version', from: new Date(from), to: new Date(to) });
    const records = rows.reduce((sum, row) => sum + row.records, 0);
    if (records === 0) return [];
    const usd = rows.reduce((sum, row) => sum + ((row.costPer1000?.all ?? 0) * row.records) / 1000, 0);
    // The slowest version's: an upper bound of that of all together.
    return [{ name, records, p95Ms: Math.max(...rows.map(({ latency }) => latency.p95)), costPer1000: (1000 * usd) / records }];
  };
  return [
    ...(await of('as written', at.began, at.optimizing)),
    ...(await of('optimizing', at.optimizing, at.rolling)),
    ...(await of('rollout', at.rolling, at.ended)),
  ];
}

const shown = ({ decisions, error, found, allocated, ratePerSecond, measured }: OptimizationDetail): ColdStart['optimization'] => ({
  decisions,
  ...(error && { error }),
  ...(found && { found }),
  ...(allocated && { allocated }),
  ...(ratePerSecond !== undefined && { ratePerSecond }),
  ...(measured && { measured }),
});

function shownRollout({ state, outcome, steps, shadow, judgement, harm, settings }: Rollout): NonNullable<ColdStart['rollout']> {
  return {
    state,
    settings,
    steps,
    ...(outcome !== undefined && { outcome }),
    ...(shadow && { shadow }),
    ...(judgement && { judgement }),
    ...(harm && { harm }),
  };
}
