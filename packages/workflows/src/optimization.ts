/** The workflow of an optimization: from what was measured to a registered version, or to the reason why what runs should stay. */
import {
  ActivityCancellationType,
  CancellationScope,
  defineQuery,
  executeChild,
  isCancellation,
  proxyActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import {
  trainingOf,
  type OptimizationActivities,
  type OptimizationDecision,
  type OptimizationInput,
  type OptimizationResult,
  type OptimizationStatus,
  type OptimizationStep,
  type StepBudget,
} from '@autoflow/topology/optimization';
import { USUAL_PATIENCE } from '@autoflow/topology/training';
import { atBoundary, terminalOf } from './execution/failures.js';
import { OPTIMIZATION_PREFIX, PROGRESS_QUERY, trainingWorkflowId } from './protocol.js';
import { NO_LEARNER, Training } from './training.js';

const RETRY = { initialInterval: '1s', maximumInterval: '30s', maximumAttempts: 8 } as const;

/** What computes does so in a process of its own, and beats meanwhile; what it has come to is in rows. */
const { gatherMetrics, fitTwin, proposeTopologies, allocate } = proxyActivities<OptimizationActivities>({
  startToCloseTimeout: '30m',
  heartbeatTimeout: '15s',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: RETRY,
});
const { openOptimization, beginStep, finishStep, registerProposal, startRollout } = proxyActivities<OptimizationActivities>({
  startToCloseTimeout: '1m',
  retry: RETRY,
});
/** An end that is not written would keep the pipeline from its next optimization. */
const { closeOptimization } = proxyActivities<OptimizationActivities>({
  startToCloseTimeout: '1m',
  retry: { initialInterval: '1s', maximumInterval: '30s' },
});

const progressQuery = defineQuery<OptimizationStatus>(PROGRESS_QUERY);

/** Resolves with the reason of every decision. One that stops early has completed; cancelled, it leaves no process behind and changes nothing more. */
export async function Optimization(input: OptimizationInput): Promise<OptimizationResult> {
  const { workflowId } = workflowInfo();
  const optimization = workflowId.startsWith(OPTIMIZATION_PREFIX) ? workflowId.slice(OPTIMIZATION_PREFIX.length) : workflowId;
  const decisions: OptimizationDecision[] = [];
  let at: OptimizationStep | undefined;
  setHandler(progressQuery, () => ({ decisions, ...(at && { step: at }) }));

  /** False: nothing is to follow. */
  const step = async (name: OptimizationStep, work: () => Promise<OptimizationDecision>): Promise<boolean> => {
    at = name;
    const decision = await work();
    decisions.push(decision);
    return decision.verdict === 'go-on';
  };
  const close = async (state: OptimizationResult['state'], reason: string): Promise<OptimizationResult> => {
    await CancellationScope.nonCancellable(() => closeOptimization({ optimization, state, reason }));
    return { state, decisions };
  };
  const one = { optimization };

  const opened = await openOptimization({ ...input, optimization });
  if (opened.verdict === 'stop') return { state: 'completed', decisions: [opened] };
  try {
    const { training: asked = input.request.training, untrained } = opened;
    const training = asked && { id: trainingOf(optimization), ...asked };
    const proposed =
      (await step('gather', () => gatherMetrics(one))) &&
      (await step('fit', () => fitTwin(one))) &&
      (await step('propose', () => proposeTopologies(one)));
    if (proposed && training !== undefined) await step('train', () => recorded(one, 'train', (budget) => train(training, budget)));
    else if (proposed && untrained !== undefined) await step('train', () => recorded(one, 'train', () => trainsNobody(untrained)));
    if (proposed && (await step('allocate', () => allocate({ ...one, ...(training && { training: training.id }) }))))
      if (await step('register', () => registerProposal(one))) await step('roll-out', () => startRollout(one));
    return await close('completed', decisions.at(-1)?.reason ?? '');
  } catch (error) {
    await close(isCancellation(error) ? 'cancelled' : 'failed', isCancellation(error) ? 'it was cancelled' : terminalOf(error).message);
    throw atBoundary(error);
  }
}

/** What is no activity is told of by two: that it has begun, and what it came to. */
async function recorded(
  one: { readonly optimization: string },
  step: OptimizationStep,
  work: (budget: StepBudget) => Promise<OptimizationDecision>,
): Promise<OptimizationDecision> {
  const budget = await beginStep({ ...one, step });
  return finishStep({ ...one, decision: await work(budget ?? {}) });
}

async function trainsNobody(why: string): Promise<OptimizationDecision> {
  return { step: 'train', verdict: 'go-on', code: NO_LEARNER, reason: `No training: ${why}` };
}

/** Without it the policy that comes with AutoFlow competes alone: a training that fails stops nothing. */
async function train(
  { id, budget, ...input }: { readonly id: string } & NonNullable<OptimizationInput['request']['training']>,
  { seconds = Number.POSITIVE_INFINITY }: StepBudget,
): Promise<OptimizationDecision> {
  if (seconds <= 0) return { step: 'train', verdict: 'go-on', reason: 'No training: its budget in dollars is used up.' };
  const most = Math.min(seconds, budget.seconds ?? Number.POSITIVE_INFINITY);
  const bounded = { ...budget, ...(Number.isFinite(most) && { seconds: most }) };
  try {
    const { outcome, steps, best } = await executeChild(Training, {
      workflowId: trainingWorkflowId(id),
      args: [{ training: id, budget: bounded, patience: USUAL_PATIENCE, ...input }],
    });
    const isCut = most === seconds && outcome === 'completed' && steps < budget.steps;
    const score = best === undefined ? 'none of its versions was judged' : `its best version has a score of ${best.score.toFixed(2)}`;
    return {
      step: 'train',
      verdict: 'go-on',
      reason: `${input.learners} ${input.learners === 1 ? 'learner' : 'learners'} took ${steps} decisions (${outcome}); ${score}.${isCut ? ' The budget in dollars ended it.' : ''}`,
    };
  } catch (error) {
    if (isCancellation(error)) throw error;
    const { code, message } = terminalOf(error);
    return { step: 'train', verdict: 'go-on', ...(code === NO_LEARNER && { code }), reason: `The training failed: ${message}` };
  }
}
