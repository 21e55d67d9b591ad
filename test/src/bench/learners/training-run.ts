import { cpus } from 'node:os';
import { CONTROL_QUEUE, type TrainingInput, type TrainingResult } from '@autoflow/topology';
import { TRAINING_WORKFLOW, trainingWorkflowId } from '@autoflow/workflows';
import { treeCpuMs } from '../cpu.js';
import { mean, quantile } from '../statistics.js';
import { judged, untrained } from './judge.js';
import type { Lab } from './lab.js';
import type { Judged } from './reached.js';
import { watch, type Watched } from './watch.js';

export interface Conditions {
  /** Wall time of each training, its start included. */
  readonly seconds: number;
  /** That of the agent's full training: it sets how fast the entropy falls, and is not used up. */
  readonly steps: number;
}

export interface TrainingRun {
  readonly learners: number;
  readonly seed: number;
  readonly outcome: string;
  readonly untrained: number;
  /** Best so far, of the moments that were looked at. */
  readonly curve: readonly Judged[];
  readonly score: number;
  readonly steps: number;
  readonly seconds: number;
  /** Until the first parameters were there: processes that start. */
  readonly startSeconds: number;
  readonly stepsPerSecond: number;
  /** Of the learners and the two workers that they run under. */
  readonly cpuSeconds: number;
  readonly cpuMsPerStep: number;
  /** Cores of the machine that did anything, servers included. */
  readonly busyCores: number;
  /** Of a learner's time, in parameters that are read and written. */
  readonly storeShare: number;
  readonly exchanges: number;
  readonly refused: number;
  readonly lag: { readonly mean: number; readonly p95: number; readonly most: number };
  /** Mean of 1/(1 + lag/8), by which changes are scaled. */
  readonly weight: number;
  /** Learners by the process that they ran under last. */
  readonly hosts: { readonly [host: string]: number };
}

export interface TrainingOrder {
  readonly training: string;
  readonly learners: number;
  readonly seed: number;
  readonly conditions: Conditions;
}

/** Trains once, on both processes, and judges what it had at every moment when it is over. */
export async function runTraining(
  lab: Lab,
  { training, learners, seed, conditions }: TrainingOrder,
  onLook?: (watched: Watched) => Promise<void>,
): Promise<{ readonly run: TrainingRun; readonly watched: Watched }> {
  const { seconds, steps } = conditions;
  const input: TrainingInput = { training, learners, budget: { steps, seconds }, settings: { seed } };
  const pids = lab.hosts.map(({ pid }) => pid);
  const [startedAt, cpuMs, busyMs] = [Date.now(), treeCpuMs(pids), busy()];
  const handle = await lab.platform.client.workflow.start(TRAINING_WORKFLOW, {
    taskQueue: CONTROL_QUEUE,
    workflowId: trainingWorkflowId(training),
    args: [input],
  });
  const ended = handle.result().then((result) => ({ ...(result as TrainingResult), at: Date.now() }));
  const watched = await watch(lab, { training, handle, startedAt, ended, ...(onLook && { onLook }) });
  const { outcome, steps: done, at } = await ended;
  const took = at - startedAt;
  const used = { cpuMs: treeCpuMs(pids) - cpuMs, busyMs: busy() - busyMs };
  const { createdAt } = (await lab.platform.store.trainings.get(training))!;
  const startMs = createdAt.getTime() - startedAt;
  const curve = judged(watched.moments);
  const run: TrainingRun = {
    learners,
    seed,
    outcome,
    untrained: untrained(seed),
    curve,
    score: curve.at(-1)!.score,
    steps: done,
    seconds: took / 1000,
    startSeconds: startMs / 1000,
    stepsPerSecond: (1000 * done) / (took - startMs),
    cpuSeconds: used.cpuMs / 1000,
    cpuMsPerStep: used.cpuMs / done,
    busyCores: used.busyMs / took,
    ...sharing(watched),
  };
  return { run, watched };
}

/** What learners have of each other, and what it costs them. */
function sharing({ pushes, beats }: Watched): Pick<TrainingRun, 'storeShare' | 'exchanges' | 'refused' | 'lag' | 'weight' | 'hosts'> {
  const told = [...beats.values()];
  const sum = (of: (beat: (typeof told)[number]) => number): number => told.reduce((all, beat) => all + of(beat), 0);
  const lags = pushes.map(({ lag }) => lag);
  return {
    storeShare: sum(({ storeMs }) => storeMs) / sum(({ ms }) => ms),
    exchanges: pushes.length,
    refused: sum(({ refused }) => refused),
    lag: { mean: mean(lags), p95: quantile(lags, 0.95), most: Math.max(...lags) },
    weight: mean(lags.map((lag) => 1 / (1 + lag / 8))),
    hosts: Object.fromEntries(
      [...new Set(told.map(({ host }) => host))].sort().map((host) => [host, told.filter((beat) => beat.host === host).length]),
    ),
  };
}

/** Milliseconds of all cores that were not idle, since the machine started. */
const busy = (): number => cpus().reduce((sum, { times: { user, nice, sys, irq } }) => sum + user + nice + sys + irq, 0);
