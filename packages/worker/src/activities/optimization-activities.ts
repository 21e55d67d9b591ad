/** The activities of the Optimization workflow. All that they know is in the optimization's rows: any control worker can go on where another one died. */
import { Context } from '@temporalio/activity';
import type { OptimizationProgress, OptimizationRow } from '@autoflow/store';
import { OptimizationRunningError } from '@autoflow/store';
import { trainingOf, type OptimizationActivities, type OptimizationDecision, type OptimizationStep } from '@autoflow/topology';
import { atActivityBoundary } from '../errors.js';
import { allocate } from '../optimizing/allocate.js';
import { leftOf, trainingSeconds, usdOf } from '../optimizing/budget.js';
import { fitTwin } from '../optimizing/fit.js';
import { gather } from '../optimizing/gather.js';
import { stop, type Job, type OptimizingPorts, type Outcome } from '../optimizing/job.js';
import { Meter } from '../optimizing/meter.js';
import { ownTraining } from '../optimizing/own-training.js';
import { proposeTopologies } from '../optimizing/propose.js';
import { actorOf, registerProposal } from '../optimizing/register.js';
import { rollOut } from '../optimizing/roll-out.js';
import { SCHEDULE } from '../optimizing/scheduled.js';

const HEARTBEAT_MS = 3_000;

export function optimizationActivities(ports: OptimizingPorts): OptimizationActivities {
  const { optimizations } = ports.store;
  const step = <R extends { readonly optimization: string }>(
    name: OptimizationStep,
    work: (ports: OptimizingPorts, job: Job, request: R) => Promise<Outcome>,
  ): ((request: R) => Promise<OptimizationDecision>) => atActivityBoundary((request) => once(ports, name, request, work));
  return {
    openOptimization: atActivityBoundary(async ({ optimization: id, pipeline, request, by }) => {
      const actor = { actor: by === 'schedule' ? SCHEDULE : by, reason: 'it was due' };
      const { training: own, untrained } = by === 'schedule' ? await ownTraining(ports.store, pipeline) : {};
      const whole = { ...(own && { training: own }), ...request };
      try {
        const row = await optimizations.replaceLost({ id, pipeline, request: whole }, (other) => ports.isRunning(other), actor);
        // Of the row, which stays what it is when this is done again while the fleet has changed.
        const { training } = row.request;
        return { step: 'gather', verdict: 'go-on', reason: 'begun', ...(training ? { training } : untrained && { untrained }) };
      } catch (error) {
        if (!(error instanceof OptimizationRunningError)) throw error;
        return { step: 'gather', ...stop('RUNNING_ALREADY', error.message) };
      }
    }),
    gatherMetrics: step('gather', gather),
    fitTwin: step('fit', planned(fitTwin)),
    proposeTopologies: step('propose', planned(proposeTopologies)),
    allocate: step('allocate', (all, job, { training }: { optimization: string; training?: string }) => allocate(all, job, training)),
    beginStep: atActivityBoundary(async ({ optimization, step: name }) => {
      const row = await running(ports, optimization);
      await optimizations.setProgress(row.id, { step: name });
      const left = leftOf(row);
      return left === undefined ? {} : { seconds: trainingSeconds(left, row.request.training?.learners ?? 1) };
    }),
    finishStep: atActivityBoundary(async ({ optimization, decision }) => {
      const row = await running(ports, optimization);
      const usd = await trainedUsd(ports, row);
      const whole = { ...decision, ...(usd > 0 && { usd }) };
      await optimizations.finishStep(row.id, { decision: whole });
      return whole;
    }),
    registerProposal: step('register', registerProposal),
    startRollout: step('roll-out', rollOut),
    closeOptimization: atActivityBoundary(async ({ optimization: id, state, reason }) => {
      await optimizations.close(id, { state, reason }, actorOf(id, reason));
    }),
  };
}

/** Done before, a step answers what came of it then. What its attempts spend is written as they spend it: one that is killed has spent it all the same. */
async function once<R extends { readonly optimization: string }>(
  ports: OptimizingPorts,
  name: OptimizationStep,
  request: R,
  work: (ports: OptimizingPorts, job: Job, request: R) => Promise<Outcome>,
): Promise<OptimizationDecision> {
  const { optimizations } = ports.store;
  const row = await running(ports, request.optimization);
  const before = row.decisions.find(({ step }) => step === name);
  if (before !== undefined) return before;
  const context = Context.current();
  const signal = context.cancellationSignal;
  const meter = new Meter(row.progress?.step === name ? row.progress.spent : undefined);
  let progress: OptimizationProgress = { step: name };
  let telling = Promise.resolve();
  const tell = (): Promise<void> => {
    const now = { ...progress, spent: meter.spent };
    return (telling = telling.then(() => optimizations.setProgress(row.id, now)).catch(() => undefined));
  };
  const told: Job['told'] = ({ proposer, done, of }) => {
    progress = { step: name, about: proposer, done, of };
    void tell();
  };
  const beat = setInterval(() => {
    context.heartbeat();
    void tell();
  }, HEARTBEAT_MS);
  await tell();
  try {
    const { decision, ...outcome } = await work(ports, { row, signal, told, meter }, request);
    await telling;
    const { usd } = meter.spent;
    const whole = { step: name, ...decision, ...(usd > 0 && { usd }) };
    await optimizations.finishStep(row.id, { ...outcome, decision: whole });
    return whole;
  } catch (error) {
    await tell();
    signal.throwIfAborted();
    throw error;
  } finally {
    clearInterval(beat);
  }
}

/** Of its learners, for as long as they learned. */
async function trainedUsd({ store: { trainings } }: OptimizingPorts, { id, request }: OptimizationRow): Promise<number> {
  const row = await trainings.get(trainingOf(id));
  if (row?.endedAt === undefined) return 0;
  return (request.training?.learners ?? 1) * usdOf(row.endedAt.getTime() - row.createdAt.getTime());
}

/** An optimization that was closed by somebody else does nothing more. */
async function running({ store: { optimizations } }: OptimizingPorts, id: string): Promise<OptimizationRow> {
  const row = await optimizations.get(id);
  if (row?.state === 'running') return row;
  throw Object.assign(new Error(row === undefined ? `there is no optimization '${id}'` : `optimization ${id} has ended (${row.state})`), {
    code: 'NOT_FOUND',
  });
}

/** What makes no plan that the twin can run is a reason to stop, not to try again. */
function planned(work: (ports: OptimizingPorts, job: Job) => Promise<Outcome>): typeof work {
  return async (ports, job) => {
    try {
      return await work(ports, job);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'PLAN_IMPOSSIBLE')
        return { decision: stop('NOT_IDENTIFIABLE', error.message) };
      throw error;
    }
  };
}
