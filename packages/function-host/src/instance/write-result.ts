import type { RecordState } from '@autoflow/pipeline';
import { condemn, type RunResult } from '@autoflow/pipeline/runtime';
import { RecordTooLargeError, type BatchStore } from '@autoflow/store/batches';
import type { BatchRef, StageAnswer, StageInvocation } from '@autoflow/topology/execution';
import { patiently } from './patiently.js';

export interface Written {
  readonly answer: StageAnswer;
  /** What was written: the result, but for records that cannot be. */
  readonly result: RunResult;
}

/**
 * Writes what came of an invocation over `records`. Handlers have run: the store is given some time to come back before that work is
 * thrown away. A record that is too large to be written dies alone (RECORD_TOO_LARGE), with the fields that it came with.
 */
export async function writeResult(
  batches: Pick<BatchStore, 'write'>,
  { pipeline, batchId, stage, nodes }: StageInvocation,
  records: readonly RecordState[],
  result: RunResult,
): Promise<Written> {
  const store = (label: string, states: readonly RecordState[]): Promise<BatchRef> =>
    patiently(() => batches.write({ pipeline, batchId, label }, states));
  const lost = new Set<number>();
  /** A second time: what it came with is itself too large, as what branches made together can be. */
  const dead = (state: RecordState, message: string): RecordState => {
    const { index, key, arrivedAt, filtered, death } = state;
    const came = lost.has(index) ? undefined : records.find((each) => each.index === index);
    lost.add(index);
    const left = {
      ...(came ?? { index, key, arrivedAt, fields: {} }),
      ...(death && { death }),
    };
    return {
      ...condemn([left], { in: stage, code: 'RECORD_TOO_LARGE', message }, nodes)[0]!,
      ...(filtered && { filtered }),
    };
  };

  let { done, retry } = result;
  let again: BatchRef | undefined;
  while (retry.length > 0 && again === undefined) {
    const written = await orTooLarge(store(`${stage}.retry`, retry), retry);
    if (!isLoss(written)) again = written;
    else {
      retry = retry.filter((each) => each !== written.tooLarge);
      done = [...done, dead(written.tooLarge, written.message)].toSorted((a, b) => a.index - b.index);
    }
  }
  for (;;) {
    const written = await orTooLarge(store(stage, done), done);
    if (!isLoss(written))
      return {
        answer: { output: written, ...(again && { retry: again }) },
        result: { done, retry, spans: result.spans },
      };
    done = done.map((each) => (each === written.tooLarge ? dead(each, written.message) : each));
  }
}

interface Loss {
  readonly tooLarge: RecordState;
  readonly message: string;
}
const isLoss = (written: BatchRef | Loss): written is Loss => 'tooLarge' in written;

/** The ref, or the one of the records that kept the batch from being written. */
async function orTooLarge(writing: Promise<BatchRef>, states: readonly RecordState[]): Promise<BatchRef | Loss> {
  try {
    return await writing;
  } catch (error) {
    const index = error instanceof RecordTooLargeError ? error.details['index'] : undefined;
    const tooLarge = states.find((each) => each.index === index);
    if (tooLarge === undefined) throw error;
    return { tooLarge, message: (error as Error).message };
  }
}
