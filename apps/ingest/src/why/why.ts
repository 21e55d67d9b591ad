/** What a record waits for: rows first, then what the execution says of itself. */
import type { Limitation } from '@autoflow/client/schemas';
import { poolQueue } from '@autoflow/topology';
import { armOf, bucketOf, roomOf, type BatchRow, type RoomLoad, type Store } from '@autoflow/store';
import type { Executions, ExecutionView, PendingInvocation } from '../ports.js';
import type { Found } from '../records/lookup.js';
import { ago, sentenceOfInbox, sentenceOfStage } from './sentences.js';

/** What is open is asked for, not what was closed. */
const LOAD_WINDOW_MS = 1_000;

export async function whyWaiting(store: Pick<Store, 'arms' | 'backfills' | 'feeder' | 'fleet' | 'inbox'>, pipeline: string, record: Found) {
  const { scope, key, arrivedAt: since } = record;
  const [position, waiting, load, arms, hosts] = await Promise.all([
    store.inbox.position(pipeline, key, scope),
    store.inbox.waiting(pipeline),
    store.feeder.load(pipeline, LOAD_WINDOW_MS),
    store.arms.arms(pipeline),
    store.fleet.hosts(),
  ]);
  const open = (of: (room: RoomLoad) => number) => Object.values(load.rooms).reduce((sum, room) => sum + of(room), 0);
  const openExecutions = open((room) => room.open);
  // What is pinned to a version shares the room of the stable one.
  const name = arms === undefined || position?.version !== undefined ? 'stable' : roomOf(armOf(arms, bucketOf(key)));
  // Each feeder has a bound of its own, for what all have open.
  const bounds = hosts.flatMap(({ bounds }) => bounds?.[pipeline]?.[name] ?? []);
  const room = { open: load.rooms[name]?.open ?? 0, ...(bounds.length > 0 && { most: Math.max(...bounds) }) };
  const backfill = position?.backfillId === undefined ? undefined : await store.backfills.get(position.backfillId);
  const own = backfill && {
    id: backfill.id,
    paused: backfill.state === 'paused',
    open: open(({ ofBackfill }) => ofBackfill[backfill.id] ?? 0),
    most: backfill.concurrency,
  };
  const inbox = {
    ahead: position?.ahead ?? 0,
    waiting: waiting.records,
    ...(waiting.oldestAt !== undefined && { oldestAt: waiting.oldestAt }),
    paused: arms?.feedingPaused ?? false,
    openExecutions,
  };
  const limits: Limitation[] = [
    { kind: 'open-executions', name: pipeline, used: room.open, ...(room.most !== undefined && { allowed: room.most }) },
    ...(own === undefined ? [] : [{ kind: 'backfill' as const, name: own.id, used: own.open, allowed: own.most }]),
  ];
  return { scope, key, state: record.state, since, text: sentenceOfInbox(pipeline, since, { ...inbox, room }, own), inbox, limits };
}

export async function whyRunning(
  store: Pick<Store, 'definitions' | 'hosts' | 'ledger'>,
  executions: Executions,
  pipeline: string,
  record: Found,
) {
  const { scope, key, state, arrivedAt } = record;
  const batch = record.batchId === undefined ? undefined : await store.ledger.batch(record.batchId);
  if (batch === undefined) return { scope, key, state, since: arrivedAt, text: `running since ${ago(arrivedAt)}`, limits: [] };
  const view = await executions.view(batch.executionId);
  const execution = {
    executionId: batch.executionId,
    version: batch.version,
    answered: view !== undefined,
    ...(view?.progress !== undefined && { phase: view.progress.phase }),
    records: batch.ref.counts.records,
  };
  const base = { scope, key, state, execution };
  const decisive = view && decisiveOf(view);
  if (decisive === undefined) {
    const more = view === undefined ? '; Temporal did not say more' : '; no stage is under way at this moment';
    return { ...base, since: batch.openedAt, text: `running for ${ago(batch.openedAt)} on ${batch.version}${more}`, limits: [] };
  }
  const stages = await Promise.all(view!.pending.map((pending) => stageOf(pending, batch, view!, executions)));
  const at = stages[view!.pending.indexOf(decisive)]!;
  const limits = await limitsOf(store, batch, at);
  return { ...base, since: at.since ?? batch.openedAt, text: sentenceOfStage(at, batch.version, limits), stages, limits };
}

export function whyEnded({ scope, key, state, arrivedAt, endedAt = arrivedAt, version }: Found) {
  const text = `${state} ${ago(endedAt)} ago${version === undefined ? '' : ` on ${version}`}; it waits for nothing`;
  return { scope, key, state, since: endedAt, text, limits: [] };
}

/** What waits says more than what runs. */
function decisiveOf({ pending }: ExecutionView): PendingInvocation | undefined {
  const in_ = (state: PendingInvocation['state']) => pending.find((invocation) => invocation.state === state);
  return in_('queued') ?? in_('backing-off') ?? in_('running');
}

export interface StageAnswer {
  readonly name: string;
  readonly state: PendingInvocation['state'];
  readonly since?: Date;
  readonly queue: string;
  readonly memoryMb: number;
  readonly queued?: number;
  readonly attempt: number;
  readonly lastFailure?: string;
}

async function stageOf(pending: PendingInvocation, batch: BatchRow, view: ExecutionView, executions: Executions): Promise<StageAnswer> {
  const { stage, state, since, attempt, lastFailure } = pending;
  const asked = view.progress?.stages.find(({ name }) => name === stage)?.memoryMb;
  const memoryMb = asked ?? batch.memoryMb[stage]?.at(-1) ?? 0;
  const queue = poolQueue(batch.pipeline, batch.version, stage, memoryMb);
  const queued = state === 'queued' ? await executions.queued(queue) : undefined;
  return {
    name: stage,
    state,
    queue,
    memoryMb,
    attempt,
    ...(since !== undefined && { since }),
    ...(queued !== undefined && { queued }),
    ...(lastFailure !== undefined && { lastFailure }),
  };
}

/** The pool's concurrency, and the limits of the resources that the stage's functions use. */
async function limitsOf(
  { definitions, hosts }: Pick<Store, 'definitions' | 'hosts'>,
  { pipeline, version, release }: BatchRow,
  { name, memoryMb, queue, queued = 0 }: StageAnswer,
): Promise<Limitation[]> {
  const [acknowledged, row, code] = await Promise.all([
    hosts.acknowledged(pipeline),
    definitions.version(pipeline, version),
    definitions.release(pipeline, release),
  ]);
  const pools = acknowledged.filter((pool) => pool.version === version && pool.stage === name && pool.memoryMb === memoryMb);
  const allowed = pools.reduce((sum, { concurrency }) => sum + concurrency, 0);
  const nodes = row?.topology.stages.find((stage) => stage.name === name)?.nodes ?? [];
  const used = new Set(code?.spec.nodes.filter(({ id }) => nodes.includes(id)).flatMap(({ uses }) => uses) ?? []);
  const resources = (code?.spec.resources ?? []).flatMap(({ name: resource, limit }): Limitation[] => {
    if (limit === undefined || !used.has(resource)) return [];
    const { concurrency, perSecond } = limit;
    return [
      {
        kind: 'resource',
        name: resource,
        ...(concurrency !== undefined && { allowed: concurrency }),
        ...(perSecond !== undefined && { perSecond }),
      },
    ];
  });
  // Work that waits in the queue means that the pool takes no more: all that is allowed is used.
  return [{ kind: 'pool', name: queue, allowed, ...(queued > 0 && { used: allowed }) }, ...resources];
}
