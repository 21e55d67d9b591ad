/**
 * AutoFlow from a cold start, on a stack of its own: the pipeline as written is deployed and under load, nothing was ever measured; an optimization
 * is asked for, registers a version, and a rollout proves it on that traffic. What all of it takes is the cost of optimizing itself.
 */
import { createRequire } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';
import { createClient, type OptimizationDetail, type Rollout } from '@autoflow/client';
import { createControlPlane } from '@autoflow/control-plane';
import type { TrainingPoint } from '@autoflow/store';
import type { Allocation, Envelope, Topology } from '@autoflow/topology';
import { invoices } from '../cells/invoices.js';
import { METERED_WITHIN_MS } from '../cells/load.js';
import { startRetailStack } from '../cells/retail-stack.js';
import { PIPELINE, type Asked, type Cold, type Objective } from './cold-start/cold.js';
import { optimized, type Probes } from './cold-start/optimized.js';
import { phasesOf, type Phase } from './cold-start/phases.js';
import { rolledOut } from './cold-start/rolled-out.js';
import { rateFor, startTraffic, traceAt } from './cold-start/traffic.js';
import type { HeadlineConditions } from './conditions.js';
import { watchCpu } from './cpu-watch.js';

export interface ColdStart {
  /** What AutoFlow came to; as the version that was there, if it would rather keep that. */
  readonly plan: { readonly topology: Topology; readonly envelope: Envelope; readonly allocation: Allocation };
  readonly objective: Objective;
  /** It was to carry so many times the load that it was measured under. */
  readonly times: number;
  readonly promoted: boolean;
  /** How the rollout ended, or why there was none. */
  readonly outcome: string;
  readonly ratePerSecond: number;
  readonly seconds: { readonly measuring: number; readonly optimizing: number; readonly rollout: number };
  readonly phases: readonly Phase[];
  readonly cost: OptimizingCost;
  readonly optimization: Pick<OptimizationDetail, 'decisions' | 'error' | 'found' | 'allocated' | 'ratePerSecond' | 'measured'>;
  readonly rollout?: Pick<Rollout, 'state' | 'outcome' | 'steps' | 'shadow' | 'judgement' | 'harm' | 'settings'>;
  /** Of the agent that was trained beside the search. */
  readonly rewardCurve: readonly TrainingPoint[];
}

export interface OptimizingCost {
  /** CPU of the processes that fit, search and train. */
  readonly cpuSeconds: number;
  readonly probes: Probes;
  /** What the canary cost more than the version before would have (negative: less), and all of its cost. */
  readonly canary: { readonly extraUsd: number; readonly usd: number };
}

const PROGRAM_OF = { optimizer: '@autoflow/learning/optimizer', learner: '@autoflow/learning/learner', controller: '@autoflow/learning/controller' }; // prettier-ignore

export async function coldStart(conditions: HeadlineConditions, asked: Asked, progress: (line: string) => void): Promise<ColdStart> {
  // As the stack that sides are compared on: what is asked for here is told by what the pipeline as written does.
  const stack = await startRetailStack({ onFile: true });
  const { platform } = stack;
  let controlPlane: Awaited<ReturnType<typeof createControlPlane>> | undefined;
  try {
    controlPlane = await createControlPlane({ store: platform.store, temporal: platform.client });
    const api = createClient({ url: controlPlane.url, token: await platform.store.access.createToken('benchmark', 'admin') });
    const worker = await platform.startWorker(
      {
        controller: { program: program('controller') },
        optimizer: { program: program('optimizer') },
        // As on a host of its own: no side is measured meanwhile.
        learner: { program: program('learner'), beside: 1 },
        recordShare: conditions.coldStart.recordShare,
      },
      ['workflows', 'functions', 'feeder', 'control', 'learner'],
    );
    return await fromCold({ platform, api, conditions, asked, load: await invoices(platform.spec), progress }, worker.pid);
  } finally {
    await controlPlane?.close();
    await stack.stop();
  }
}

const program = (name: keyof typeof PROGRAM_OF): string => createRequire(import.meta.url).resolve(PROGRAM_OF[name]);

async function fromCold(cold: Cold, workerPid: number): Promise<ColdStart> {
  const { platform, api, conditions, asked, progress } = cold;
  const settings = conditions.coldStart;
  await api.settings.change(
    PIPELINE,
    {
      // With settings of its own the rollout is asked for; with the usual ones AutoFlow begins it by itself.
      autonomy: asked.isRolledOut && settings.rollout === undefined ? 'auto' : 'suggest',
      objective: { minimise: 'cost', p99Ms: conditions.serviceLevelMs },
      reason: 'headline',
    },
    '*',
  );
  const rate = await rateFor(cold);
  const traffic = startTraffic(cold, await traceAt(rate, cold));
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
    const rollout = version === undefined || !asked.isRolledOut ? undefined : await rolledOut(cold, version, optimization.rollout);
    const ended = Date.now();
    progress(`cold start: ${rollout === undefined ? 'nothing was rolled out' : `${rollout.state}: ${rollout.outcome ?? ''}`}`);
    await traffic.stop();
    await delay(METERED_WITHIN_MS);
    const row = await api.versions.show(PIPELINE, version ?? 'v1');
    const { stages } = await api.allocations.show(PIPELINE, row.name);
    return {
      plan: { topology: row.topology as Topology, envelope: row.envelope as Envelope, allocation: stages },
      objective: found.objective,
      times: asked.times,
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
