/** A training that loses one of its two processes in the middle. */
import { existsSync } from 'node:fs';
import { childrenOf } from '../cpu.js';
import type { BenchWorker } from '../platform.js';
import type { Lab } from './lab.js';
import { lossesOf, type KilledAt, type KilledLearner } from './losses.js';
import { runTraining, type TrainingOrder, type TrainingRun } from './training-run.js';
import type { Beat, Watched } from './watch.js';

/** What a process has used that was killed is not known. */
export interface KilledRun extends Omit<TrainingRun, 'cpuSeconds' | 'cpuMsPerStep'> {
  readonly killedAtSeconds: number;
  readonly killed: readonly KilledLearner[];
  readonly wentOn: number;
  /** Processes of the killed learners that are there still at the end. */
  readonly left: number;
}

export async function runKilled(lab: Lab, order: TrainingOrder): Promise<KilledRun> {
  const startedAt = Date.now();
  const middle = startedAt + 500 * order.conditions.seconds;
  let kill: Kill | undefined;
  const { run, watched } = await runTraining(lab, order, async (seen) => {
    // On a busy machine some of them have not told yet where they are.
    const told = seen.beats.size === order.learners;
    if (kill === undefined && told && Date.now() >= middle) kill = await killOne(lab, order.training, seen);
  });
  if (kill === undefined) throw new Error('the training ended before its middle, or before all of its learners had told where they are');
  const { pids, at, learners } = kill;
  const killed = learners.map((learner) => lossesOf(watched.pushes, learner));
  const { cpuSeconds: _unknown, cpuMsPerStep: _too, ...known } = run;
  return {
    ...known,
    killedAtSeconds: (at - startedAt) / 1000,
    killed,
    wentOn: killed.filter(({ resumedAfterSeconds }) => resumedAfterSeconds !== null).length,
    left: pids.filter((pid) => existsSync(`/proc/${pid}`)).length,
  };
}

interface Kill {
  readonly at: number;
  readonly learners: readonly KilledAt[];
  /** Of their processes. */
  readonly pids: readonly number[];
}

/** SIGKILL to the process with more of the learners. */
async function killOne({ hosts, sql }: Lab, training: string, { beats }: Watched): Promise<Kill> {
  const under = ({ host }: BenchWorker): Beat[] => [...beats.values()].filter((beat) => beat.host === host);
  const host = hosts.reduce((a, b) => (under(b).length > under(a).length ? b : a));
  const pids = childrenOf(host.pid, 'learner-process');
  const { rows } = await sql.query<{ learner: number; at: Date }>(
    'select learner, updated_at as at from autoflow.training_learners where training = $1',
    [training],
  );
  const at = Date.now();
  process.kill(host.pid, 'SIGKILL');
  await host.stop();
  const learners = under(host).map(({ learner }): KilledAt => {
    const checkpoint = rows.find((row) => row.learner === learner);
    return { at, learner, ...(checkpoint && { checkpointAt: checkpoint.at }) };
  });
  return { at, learners, pids };
}
