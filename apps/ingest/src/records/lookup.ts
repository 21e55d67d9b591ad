import { ProblemError } from '@autoflow/http';
import type { RecordRow, Store, WaitingRecord } from '@autoflow/store';
import { ago } from '../why/sentences.js';

/** A record as it is answered, wherever it is. */
export type Found = Omit<RecordRow, 'pipeline' | 'state' | 'batchId' | 'version' | 'release'> & {
  readonly state: 'waiting' | RecordRow['state'];
  readonly dueAt?: Date;
  readonly batchId?: string;
  readonly version?: string;
  readonly release?: string;
};

/** Whoever asks for one that is not there may have sent records to it by COPY: these wait, and are told of. */
export async function findPipeline({ definitions, feeder }: Pick<Store, 'definitions' | 'feeder'>, name: string): Promise<void> {
  if ((await definitions.pipeline(name)) !== undefined) return;
  const [stranded] = await feeder.stranded(name);
  const waits =
    stranded === undefined
      ? ''
      : ` Records that came for it by COPY wait until there is: ${stranded.records}, the first ${ago(stranded.oldestAt)} old.`;
  throw new ProblemError('PIPELINE_UNKNOWN', `There is no pipeline ${JSON.stringify(name)}.${waits}`);
}

/** A record moves from the inbox to the ledger, and may move back: looked for in the ledger in between, it is seen in any case. */
export async function findRecord(
  store: Pick<Store, 'definitions' | 'feeder' | 'inbox' | 'ledger'>,
  pipeline: string,
  scope: string,
  key: string,
): Promise<Found> {
  const waiting = () => store.inbox.position(pipeline, key, scope);
  const first = await waiting();
  if (first !== undefined) return fromInbox(first);
  const row = await store.ledger.record(pipeline, scope, key);
  if (row !== undefined) return fromLedger(row);
  const again = await waiting();
  if (again !== undefined) return fromInbox(again);
  await findPipeline(store, pipeline);
  throw new ProblemError('RECORD_UNKNOWN', `${pipeline} has no record ${JSON.stringify(key)} in the scope ${scope}.`);
}

export function fromInbox({ scope, key, arrivedAt, dueAt, version }: Omit<WaitingRecord, 'ahead'>): Found {
  return { scope, key, state: 'waiting', arrivedAt, ...(dueAt !== undefined && { dueAt }), ...(version !== undefined && { version }) };
}

/** One that was cancelled while it waited has been in no batch. */
export function fromLedger({ pipeline: _, batchId, ...row }: RecordRow): Found {
  return { ...row, ...(batchId !== '' && { batchId }) };
}
