/** The activities of the Training workflow: learning, on workers with the role `learner`, and its end, where the workflow is. */
import { Context } from '@temporalio/activity';
import type { Store } from '@autoflow/store';
import type { LearnerActivities, TrainingActivities } from '@autoflow/topology';
import { atActivityBoundary } from '../errors.js';
import { learn, type LearnPorts } from '../learning/learn.js';
import { SILENT_MS } from '../learning/learner-child.js';

const HEARTBEAT_MS = 3_000;

export function learnerActivities(ports: LearnPorts): LearnerActivities {
  return {
    learn: atActivityBoundary(async (request) => {
      const context = Context.current();
      let told: object = {};
      let heard = performance.now();
      // An episode or a load of the store takes longer than a beat: it goes on meanwhile, but not for one that hangs.
      const beat = setInterval(() => {
        if (performance.now() - heard < (ports.silentMs ?? SILENT_MS)) context.heartbeat(told);
      }, HEARTBEAT_MS);
      try {
        return await learn(request, ports, context.cancellationSignal, (details) => {
          told = details;
          heard = performance.now();
        });
      } finally {
        clearInterval(beat);
      }
    }),
  };
}

export function trainingActivities({ store: { trainings } }: { readonly store: Pick<Store, 'trainings'> }): TrainingActivities {
  return {
    endTraining: atActivityBoundary(async ({ training, outcome }) => {
      await trainings.end(training, outcome);
      const [row, best] = await Promise.all([trainings.get(training), trainings.best(training)]);
      return {
        outcome: row?.outcome ?? outcome,
        steps: row?.steps ?? 0,
        version: row?.version ?? 0,
        ...(best && { best: { version: best.version, score: best.score } }),
      };
    }),
  };
}
