/** The workflow of a pipeline's rollouts: shadow, warm pools, canary by steps, and the end that the evaluations or somebody's word decide. */
import {
  ActivityCancellationType,
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  ContinueAsNew,
  defineUpdate,
  isCancellation,
  proxyActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { REPLAY_QUEUE, shadowVerdict, type ShadowActivities } from '@autoflow/topology/replay';
import type {
  RolloutActivities,
  RolloutCommand,
  RolloutDecision,
  RolloutOutcome,
  RolloutPhase,
  RolloutPlan,
} from '@autoflow/topology/rollout';
import { isRefusal, terminalOf } from './execution/failures.js';
import { RolloutUpdate, type RolloutInput } from './protocol.js';

const EVALUATIONS_PER_RUN = 500;
/** Who has no start for so long is not going to get one. */
const IDLE = '1m';

const retry = { initialInterval: '1s', maximumInterval: '15s' } as const;
/** A little more than a statement may take: a worker that dies in the middle of an evaluation is not waited for longer. */
const brief = { startToCloseTimeout: '40s', retry } as const;
const { planRollout, enterRollout, pauseRollout, endRollout } = proxyActivities<RolloutActivities>(brief);
/** Four minutes, and nine where each attempt takes its time: outages pass, but a canary that nobody can measure keeps no traffic. */
const { stepRollout, evaluateRollout } = proxyActivities<RolloutActivities>({
  ...brief,
  retry: { initialInterval: '4s', maximumInterval: '1m', maximumAttempts: 8 },
});
/** What is not settled by then, and what fails here, is charged by the control workers: nobody waits for it. */
const { chargeRollout } = proxyActivities<RolloutActivities>({ startToCloseTimeout: '30s', retry: { ...retry, maximumAttempts: 1 } });
/** Nothing has traffic yet, so that any outage is waited for, as long as there is time. */
const { warmRollout } = proxyActivities<RolloutActivities>({ scheduleToCloseTimeout: '30m', heartbeatTimeout: '15s', retry });
/** A host that dies is missed within seconds; another one replays anew. */
const { shadow } = proxyActivities<ShadowActivities>({
  taskQueue: REPLAY_QUEUE,
  scheduleToCloseTimeout: '1h',
  scheduleToStartTimeout: '10m',
  heartbeatTimeout: '15s',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { ...retry, maximumInterval: '1m' },
});

const startUpdate = defineUpdate<string, [{ readonly rollout: string }]>(RolloutUpdate.start);
const pauseUpdate = defineUpdate<void, [RolloutCommand]>(RolloutUpdate.pause);
const resumeUpdate = defineUpdate<void, [RolloutCommand]>(RolloutUpdate.resume);
const promoteUpdate = defineUpdate<RolloutOutcome, [RolloutCommand]>(RolloutUpdate.promote);
const abortUpdate = defineUpdate<RolloutOutcome, [RolloutCommand]>(RolloutUpdate.abort);
const rollBackUpdate = defineUpdate<RolloutOutcome, [RolloutCommand]>(RolloutUpdate.rollBack);

type Ending = Omit<RolloutCommand, 'rollout'> & { readonly outcome: RolloutOutcome };
const ITSELF = 'rollout workflow';

/**
 * Runs the rollout that the update `start` names, and answers how it ended. All that is known is in the rollout's row, so that any run goes on where
 * another one was stopped; traffic that somebody else has moved is left alone. Cancelled, it takes the candidate's traffic back.
 */
export async function Rollout(input: RolloutInput): Promise<RolloutOutcome | undefined> {
  let rollout = input.rollout;
  let phase: RolloutPhase | 'stepping' = 'starting';
  let told: Ending | undefined;
  let ended: RolloutOutcome | undefined;
  let next: string | undefined;
  const work = new CancellationScope();

  const ends =
    (outcome: RolloutOutcome) =>
    async ({ actor, reason }: RolloutCommand) => {
      told ??= { actor, reason, outcome };
      work.cancel();
      await condition(() => ended !== undefined);
      return ended!;
    };
  const mustRun = (command: RolloutCommand) => {
    if (command.rollout !== rollout || ended !== undefined || told !== undefined)
      throw ApplicationFailure.nonRetryable(`rollout ${command.rollout} does not run`, 'ROLLOUT_ENDED');
  };
  // Of two whose rows have not ended there is never more than one: who is told of another one has not heard yet that its own has.
  setHandler(
    startUpdate,
    ({ rollout: wanted }) => {
      if (rollout === undefined) rollout = wanted;
      else if (rollout !== wanted) next = wanted;
      return wanted;
    },
    {
      validator: ({ rollout: wanted }) => {
        if (next !== undefined && next !== wanted) throw ApplicationFailure.nonRetryable(`rollout ${next} is to begin`, 'ROLLOUT_ACTIVE');
      },
    },
  );
  setHandler(pauseUpdate, (command) => pauseRollout({ ...command, paused: true }), { validator: mustRun });
  setHandler(resumeUpdate, (command) => pauseRollout({ ...command, paused: false }), { validator: mustRun });
  setHandler(abortUpdate, ends('aborted'), { validator: mustRun });
  setHandler(rollBackUpdate, ends('rolled-back'), { validator: mustRun });
  const mustHaveTraffic = () => {
    if (phase !== 'canary' && phase !== 'stepping')
      throw ApplicationFailure.nonRetryable('it has no canary traffic yet', 'ROLLOUT_NOT_IN_CANARY');
  };
  const promote = async (command: RolloutCommand) => {
    // Its traffic may be there already, and be seen by all, before the step that gave it has answered.
    await condition(() => phase !== 'stepping' || ended !== undefined || told !== undefined);
    if (ended === undefined && told === undefined) mustHaveTraffic();
    return ends('promoted')(command);
  };
  setHandler(promoteUpdate, promote, {
    validator: (command) => {
      mustRun(command);
      mustHaveTraffic();
    },
  });

  if (!(await condition(() => rollout !== undefined, IDLE))) return undefined;
  const id = rollout!;
  const end: Run['end'] = (how) => CancellationScope.nonCancellable(() => endRollout({ rollout: id, ...how }));
  try {
    ended = await work.run(() => run(id, input, { enters: (entered) => (phase = entered), asked: () => next !== undefined, end }));
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error;
    ended = await end(told ?? endingOf(error));
    if (told === undefined && isCancellation(error)) throw error;
  }
  await CancellationScope.nonCancellable(() => chargeRollout({ rollout: id })).catch(() => undefined);
  await condition(allHandlersFinished);
  if (next === undefined) return ended;
  // Of this one's input only how long a run is: what has led this one through its shadow has not led the next one.
  const { evaluationsPerRun } = input;
  return continueAsNew<typeof Rollout>({ rollout: next, ...(evaluationsPerRun !== undefined && { evaluationsPerRun }) });
}

interface Run {
  /** `stepping`: its first traffic, in this run, is being moved. */
  enters(phase: RolloutPhase | 'stepping'): void;
  /** Another one is to begin: then this one has been ended by somebody. */
  asked(): boolean;
  /** Undefined: somebody has paused it, and it was to end unless so. */
  end(how: Ending & { readonly unlessPaused?: boolean }): Promise<RolloutOutcome | undefined>;
}

async function run(rollout: string, input: RolloutInput, { enters, asked, end }: Run): Promise<RolloutOutcome> {
  const plan = await planRollout({ rollout });
  if (!isPhase(plan.state)) return plan.state;
  const { settings } = plan;
  const itself = async (outcome: Exclude<RolloutOutcome, 'promoted'>, reason: string) =>
    (await end({ actor: ITSELF, reason, outcome })) ?? outcome;

  if (plan.step === 0 && input.prepared !== true) {
    const { decision, reason } = await untilAsked(asked, () => prepare(rollout, plan, enters));
    if (decision === 'roll-back') return itself('rolled-back', reason);
    if (decision === 'abort') return itself('aborted', reason);
    if (decision === 'superseded') return 'superseded';
  }
  let evaluations = 0;
  let hasTraffic = false;
  for (let step = Math.max(0, plan.step - 1); ;) {
    if (!hasTraffic) enters('stepping');
    const stepped = await orAbort('could not be measured', stepRollout({ rollout, step }));
    if (stepped.decision === 'abort') return itself('aborted', stepped.reason);
    if (stepped.decision === 'superseded') return 'superseded';
    hasTraffic ||= stepped.decision === 'advance' || step > 0;
    enters(hasTraffic ? 'canary' : 'warming');
    // Not its turn yet (a freeze, say): asked again, and what has traffic is watched meanwhile.
    const held = stepped.decision === 'continue';
    for (;;) {
      await condition(asked, settings.periodMs);
      if (held && step === 0) break;
      const { decision, reason } = await orAbort('could not be measured', evaluateRollout({ rollout }));
      if (decision === 'superseded') return 'superseded';
      if (decision === 'roll-back') return itself('rolled-back', reason);
      if (decision === 'abort') return itself('aborted', reason);
      if (held) break;
      if (decision === 'promote') {
        const outcome = await end({ actor: ITSELF, reason, outcome: 'promoted', unlessPaused: true });
        if (outcome !== undefined) return outcome;
      }
      if (decision === 'advance') {
        step++;
        break;
      }
      await goOnAnew(++evaluations, rollout, input);
    }
    await goOnAnew(++evaluations, rollout, input);
  }
}

/** What has failed so often, or for so long, says nothing against the candidate; a refusal is an error of ours. */
async function orAbort(what: string, decided: Promise<RolloutDecision>): Promise<RolloutDecision> {
  try {
    return await decided;
  } catch (error) {
    if (isCancellation(error) || isRefusal(error)) throw error;
    return { decision: 'abort', reason: `${what}: ${terminalOf(error).message}` };
  }
}

/** Work that nobody needs any more is given up. */
async function untilAsked(asked: Run['asked'], work: () => Promise<RolloutDecision>): Promise<RolloutDecision> {
  const scope = new CancellationScope();
  void condition(asked).then(
    () => scope.cancel(),
    () => undefined,
  );
  try {
    return await scope.run(work);
  } catch (error) {
    if (isCancellation(error) && asked()) return { decision: 'superseded', reason: 'another one is to begin' };
    throw error;
  }
}

/** Shadow and warm pools. */
async function prepare(rollout: string, plan: RolloutPlan, enters: Run['enters']): Promise<RolloutDecision> {
  if (plan.settings.shadowRecords > 0) {
    const shadowed = await inShadow(rollout, plan, enters);
    if (shadowed.decision !== 'advance') return shadowed;
  }
  enters('warming');
  const entered = await enterRollout({ rollout, phase: 'warming' });
  return entered.decision === 'superseded' ? entered : orAbort('its pools did not become warm', warmRollout({ rollout }));
}

async function goOnAnew(evaluations: number, rollout: string, { evaluationsPerRun = EVALUATIONS_PER_RUN }: RolloutInput): Promise<void> {
  if (evaluations < evaluationsPerRun && !workflowInfo().continueAsNewSuggested) return;
  await condition(allHandlersFinished);
  // Its shadow has passed and its pools are kept, however long it is held before its first step.
  await continueAsNew<typeof Rollout>({ rollout, evaluationsPerRun, prepared: true });
}

async function inShadow(rollout: string, plan: RolloutPlan, enters: Run['enters']): Promise<RolloutDecision> {
  enters('shadow');
  const entered = await enterRollout({ rollout, phase: 'shadow' });
  if (entered.decision === 'superseded') return entered;
  return orAbort('could not be replayed in shadow', compared(rollout, plan));
}

async function compared(rollout: string, { pipeline, version, baseline, settings }: RolloutPlan): Promise<RolloutDecision> {
  const report = await shadow({ pipeline, version, against: baseline, sample: settings.shadowRecords });
  const reported = await enterRollout({ rollout, phase: 'shadow', report });
  return reported.decision === 'superseded' ? reported : shadowVerdict(report, settings.shadowRecords);
}

function endingOf(error: unknown): Ending {
  if (isCancellation(error)) return { actor: ITSELF, reason: 'the workflow was cancelled', outcome: 'aborted' };
  return { actor: ITSELF, reason: terminalOf(error).message, outcome: 'failed' };
}

function isPhase(state: RolloutPlan['state']): state is RolloutPhase {
  return state === 'starting' || state === 'shadow' || state === 'warming' || state === 'canary';
}
