import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApplicationFailure, WorkflowFailedError } from '@temporalio/client';
import { useTestStack } from '@autoflow/local-stack/testing';
import { pipelineHandle } from '@autoflow/workflows/handle';
import type { acts } from './acts.js';
import { startPlatform, type Platform } from './platform.js';

const Acts = pipelineHandle<typeof acts>('acts');

describe('the direct door', () => {
  const stack = useTestStack();
  let platform: Platform;
  beforeAll(async () => {
    platform = await startPlatform(stack);
    await platform.startWorker();
  });
  afterAll(() => platform?.stop());

  const execute = (workflowId: string, ...args: Parameters<typeof Acts>) => platform.client.workflow.execute(Acts, { taskQueue: 'autoflow', workflowId, args });
  const failure = async (work: Promise<unknown>): Promise<ApplicationFailure> => {
    const error = await work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(WorkflowFailedError);
    expect((error as WorkflowFailedError).cause).toBeInstanceOf(ApplicationFailure);
    return (error as WorkflowFailedError).cause as ApplicationFailure;
  };

  it('answers one record with its output', async () => {
    expect(await execute('one', { id: 'one', act: 'pass', payload: 'abc' })).toEqual({
      version: 'v1',
      counts: { completed: 1, filtered: 0, dead: 0, cancelled: 0 },
      results: [{ key: 'one', output: { id: 'one', weight: 6, performed: 'pass', stored: true } }],
      filtered: [],
      dead: [],
    });
    expect(await platform.store.ledger.record('acts', 'live', 'one')).toMatchObject({ state: 'completed', version: 'v1' });
  });
});
