import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { replayer, type Replay } from './replay.js';

const FOLDER = new URL('histories/', import.meta.url);
const names = readdirSync(FOLDER).sort();

interface Event {
  readonly eventType: string;
  activityTaskScheduledEventAttributes?: {
    activityType: { name: string };
    taskQueue: { name: string };
    input: { payloads: { data: string }[] };
  };
  workflowExecutionStartedEventAttributes?: { input: { payloads: { data: string }[] } };
}
interface Recorded {
  readonly events: Event[];
}

const read = (name: string): Recorded => JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')) as Recorded;
const activitiesOf = ({ events }: Recorded) => events.flatMap((event) => event.activityTaskScheduledEventAttributes ?? []);

/** Changes the JSON value that a payload holds. */
function rewrite(payload: { data: string }, change: (text: string) => string): void {
  const before = Buffer.from(payload.data, 'base64').toString();
  const after = change(before);
  expect(after).not.toBe(before);
  payload.data = Buffer.from(after).toString('base64');
}

describe.each([
  ['as they are', false],
  ['with traces', true],
])('recorded histories, by workflows %s', (_, traced) => {
  let replay: Replay;
  beforeAll(async () => {
    replay = await replayer({ traced });
  });

  it('cover what executions, backfills, rollouts, optimizations, trainings and the control of allocations can come to', () => {
    expect(names).toEqual(
      [
        'allocation-continued-as-new',
        'allocation-switched-off',
        'backfill-continued-as-new',
        'backfill-last-run',
        'backfill-paused-and-cancelled',
        'batch-bisected',
        'batch-out-of-memory',
        'batch-parallel',
        'batch-retried',
        'batch-write-not-rerun',
        'direct-as-written',
        'direct-cancelled',
        'direct-filtered',
        'direct-refused',
        'optimization-registered',
        'optimization-stopped',
        'optimization-trained',
        'rollout-continued-as-new',
        'rollout-promoted-by-hand',
        'rollout-refused-in-shadow',
        'rollout-rolled-back',
        'training-completed',
      ].map((name) => `${name}.json`),
    );
  });

  it.each(names)('%s is closed, and the workflows of today do the same', async (name) => {
    const history = read(name);
    expect(history.events.at(-1)?.eventType).toMatch(/WORKFLOW_EXECUTION_(COMPLETED|FAILED|CANCELED|CONTINUED_AS_NEW)$/);
    await replay(history);
  });

  describe('a tampered one is found out', () => {
    it('stages in another order', async () => {
      const history = read('direct-as-written.json');
      const [first, second] = activitiesOf(history);
      [first!.activityType.name, second!.activityType.name] = [second!.activityType.name, first!.activityType.name];
      await expect(replay(history)).rejects.toThrow(/activity type|determinis/i);
    });

    it('another task queue', async () => {
      const history = read('direct-as-written.json');
      activitiesOf(history)[2]!.taskQueue.name += '0';
      await expect(replay(history)).rejects.toThrow(/queue was/);
    });

    it('other arguments', async () => {
      const history = read('direct-as-written.json');
      rewrite(activitiesOf(history)[1]!.input.payloads[0]!, (text) => text.replace('"dispatch":0', '"dispatch":1'));
      await expect(replay(history)).rejects.toThrow(/args was/);
    });

    it('another topology in the argument of the execution', async () => {
      const history = read('batch-parallel.json');
      const start = history.events[0]!.workflowExecutionStartedEventAttributes!;
      rewrite(start.input.payloads[0]!, (text) => text.replace('"after":["perform","weigh"]', '"after":["perform"]'));
      await expect(replay(history)).rejects.toThrow(/determinis|activity/i);
    });

    it('a rollout that took another step', async () => {
      const history = read('rollout-promoted-by-hand.json');
      const step = activitiesOf(history).findLast(({ activityType }) => activityType.name === 'stepRollout')!;
      rewrite(step.input.payloads[0]!, (text) => text.replace('"step":1', '"step":2'));
      await expect(replay(history)).rejects.toThrow(/args was/);
    });

    it('an optimization that registered before it had an allocation', async () => {
      const history = read('optimization-registered.json');
      const [allocate, register] = activitiesOf(history).filter(({ activityType: { name } }) => /^(allocate|registerProposal)$/.test(name));
      [allocate!.activityType.name, register!.activityType.name] = [register!.activityType.name, allocate!.activityType.name];
      await expect(replay(history)).rejects.toThrow(/activity type|determinis/i);
    });

    it('a controller that took more steps in a run', async () => {
      const history = read('allocation-continued-as-new.json');
      const start = history.events[0]!.workflowExecutionStartedEventAttributes!;
      rewrite(start.input.payloads[0]!, (text) => text.replace('"stepsPerRun":2', '"stepsPerRun":3'));
      await expect(replay(history)).rejects.toThrow(/determinis|ContinueAsNew|command/i);
    });

    it('a backfill that fed fewer times', async () => {
      const history = read('backfill-continued-as-new.json');
      const start = history.events[0]!.workflowExecutionStartedEventAttributes!;
      rewrite(start.input.payloads[0]!, (text) => text.replace('"feedsPerRun":2', '"feedsPerRun":1'));
      await expect(replay(history)).rejects.toThrow(/determinis|ContinueAsNew|command/i);
    });
  });
});
