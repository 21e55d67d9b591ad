import { randomBytes } from 'node:crypto';
import { Client } from '@temporalio/client';
import { expect, test } from 'vitest';
import { useTestStack } from '@autoflow/local-stack/testing';
import { EXECUTION_QUEUE } from '@autoflow/topology';
import { dataConverterOf } from '@autoflow/workflows/codec';
import { startPlatform } from './platform.js';

const stack = useTestStack();

test('an execution under the codec: the history holds no plaintext, and the keys change meanwhile', async () => {
  const [old, fresh] = ['old', 'fresh'].map((id) => `${id}:${randomBytes(32).toString('base64')}`);
  const platform = await startPlatform(stack);
  try {
    const run = async (workflowId: string, keys: string) => {
      const client = new Client({
        connection: platform.client.connection,
        namespace: stack.temporal.namespace,
        dataConverter: dataConverterOf(keys)!,
      });
      const record = { id: `PLAINTEXT-${workflowId}`, act: 'pass' };
      const handle = await client.workflow.start('acts', { taskQueue: EXECUTION_QUEUE, workflowId, args: [record] });
      return { handle, result: await handle.result() };
    };
    await platform.startWorker(undefined, { payloadKeys: `${fresh},${old}` });
    for (const [id, keys] of [
      ['w1', `${old},${fresh}`],
      ['w2', `${fresh},${old}`],
    ] as const) {
      const { handle, result } = await run(id, keys);
      expect(JSON.stringify(result)).toContain(`PLAINTEXT-${id}`);
      const texts = textsIn(await handle.fetchHistory());
      expect(texts).toContain('binary/encrypted');
      expect(texts.filter((text) => text.includes('PLAINTEXT'))).toEqual([]);
      await expect(platform.client.workflow.getHandle(id).result()).rejects.toThrow(/encoding/i);
    }
  } finally {
    await platform.stop();
  }
});

/** Every string of a history, and what it says when it is bytes in base64. */
function textsIn(history: object): string[] {
  const texts: string[] = [];
  JSON.parse(JSON.stringify(history), (_, value: unknown) => {
    if (typeof value === 'string') texts.push(value, Buffer.from(value, 'base64').toString('latin1'));
    return value;
  });
  return texts;
}
