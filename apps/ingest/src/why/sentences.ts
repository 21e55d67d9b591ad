/** The answers in one sentence each. */
import type { Limitation } from '@autoflow/client/schemas';
import type { StageAnswer } from './why.js';

/** Nothing was opened for so long, though nothing is open: nobody feeds. */
const UNFED_MS = 30_000;

interface Inbox {
  readonly ahead: number;
  readonly oldestAt?: Date;
  readonly paused: boolean;
  readonly openExecutions: number;
  /** Executions that hold the record's back, and how many of them a feeder lets be open, where one feeds. */
  readonly room: { readonly open: number; readonly most?: number };
}

/** What put the record there. */
interface Backfill {
  readonly id: string;
  readonly paused: boolean;
  /** Executions. */
  readonly open: number;
  readonly most: number;
}

export function sentenceOfInbox(
  pipeline: string,
  since: Date,
  { ahead, oldestAt = since, paused, openExecutions, room }: Inbox,
  backfill?: Backfill,
): string {
  const waits = `waiting ${ago(since)} in the inbox`;
  const before = ahead === 0 ? 'it is the next' : `${counted(ahead, 'record')} ahead`;
  if (paused) return `${waits}: feeding of ${pipeline} is paused; ${before}`;
  if (backfill?.paused) return `${waits}: its backfill ${backfill.id} is paused; ${before}`;
  if (backfill !== undefined && backfill.open >= backfill.most)
    return `${waits}: its backfill ${backfill.id} has ${backfill.open} of ${backfill.most} executions open; ${before}`;
  if (room.most !== undefined && room.open >= room.most)
    return `${waits}: ${room.open} of ${room.most} executions are open, as many as end within seconds; ${before}`;
  if (openExecutions > 0)
    return `${waits}: ${counted(openExecutions, 'execution')} open, and no more are opened than end within seconds; ${before}`;
  return Date.now() - oldestAt.getTime() > UNFED_MS
    ? `${waits}: no execution is open and the oldest record waits ${ago(oldestAt)}, so no worker seems to feed (role feeder); ${before}`
    : `${waits}: a batch is opened when it is full or its linger is over; ${before}`;
}

export function sentenceOfStage(stage: StageAnswer, version: string, limits: readonly Limitation[]): string {
  const { name, state, since, queued = 0, attempt, lastFailure } = stage;
  const time = since === undefined ? '' : ` ${ago(since)}`;
  const again = attempt > 1 ? `, attempt ${attempt}${lastFailure === undefined ? '' : ` after: ${lastFailure}`}` : '';
  switch (state) {
    case 'running':
      // For Temporal it runs also while it waits, where it was taken in, for its turn at a resource.
      return `running${time} in stage ${name} on ${version}${boundsIn(limits.filter(({ kind }) => kind === 'resource'))}${again}`;
    case 'backing-off':
      return `waiting in stage ${name} on ${version} for its next attempt${again}`;
    case 'queued':
      return `waiting${time} in stage ${name} on ${version}${boundsIn(limits)}${queued > 1 ? `; ${queued} invocations in its queue` : ''}${again}`;
  }
}

function boundsIn(limits: readonly Limitation[]): string {
  const bounds = limits.map(boundOf).filter((bound) => bound !== undefined);
  return bounds.length === 0 ? '' : `: ${bounds.join(', ')}`;
}

function boundOf({ kind, name, allowed, perSecond }: Limitation): string | undefined {
  if (kind === 'pool') return allowed === 0 ? 'no host runs its pool' : `its pool runs ${allowed} at once`;
  const parts = [...(perSecond === undefined ? [] : [`${perSecond}/s`]), ...(allowed === undefined ? [] : [`${allowed} at once`])];
  return kind === 'resource' && parts.length > 0 ? `resource ${name} allows ${parts.join(' and ')}` : undefined;
}

export function ago(time: Date): string {
  const ms = Math.max(0, Date.now() - time.getTime());
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${Math.round(ms / 1_000)} s`;
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`;
}

function counted(count: number, what: string): string {
  return count === 1 ? `1 ${what} is` : `${count} ${what}s are`;
}
