import { beforeEach, expect, test } from 'vitest';
import type { OptimizationDecision } from '@autoflow/topology';
import { by, registerPipeline, useTestStore } from './testing/fixtures.js';

const context = useTestStore();
let [pipeline, id] = ['', ''];
beforeEach(async () => {
  [pipeline, id] = [`p-${crypto.randomUUID()}`, `o-${crypto.randomUUID()}`];
  await registerPipeline(context.store, pipeline);
});
const create = (name = id) => context.store.optimizations.create({ id: name, pipeline, request: { dryRun: true } }, by);
const decision = (reason: string): OptimizationDecision => ({ step: 'gather', verdict: 'go-on', reason });

test('of a pipeline one at a time, also when two begin at once', async () => {
  const both = await Promise.allSettled([create('a'.concat(id)), create('b'.concat(id))]);
  expect(both.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(both.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'OPTIMIZATION_RUNNING' } });
  const [running] = await context.store.optimizations.page(pipeline, { limit: 10 });
  expect(await create(running!.id)).toEqual(running);
  await context.store.optimizations.close(running!.id, { state: 'completed', reason: 'done' }, by);
  await create('c'.concat(id));
  await expect(context.store.optimizations.create({ id, pipeline: 'nobody', request: { dryRun: true } }, by)).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
});

test('one whose workflow is gone makes room for the next, but not while that is being started', async () => {
  const { optimizations } = context.store;
  const next = { id: `next-${id}`, pipeline, request: { dryRun: true } };
  const replace = (isRunning: boolean) => optimizations.replaceLost(next, () => Promise.resolve(isRunning), by);
  await create();
  await expect(replace(false)).rejects.toMatchObject({ code: 'OPTIMIZATION_RUNNING', running: id });
  await context.sql.query(`update autoflow.optimizations set created_at = created_at - interval '1 minute' where id = $1`, [id]);
  await expect(replace(true)).rejects.toMatchObject({ code: 'OPTIMIZATION_RUNNING', running: id });
  expect(await replace(false)).toMatchObject({ id: next.id, state: 'running' });
  expect(await optimizations.get(id)).toMatchObject({ state: 'failed' });
});

test('what a step found out first stays, with its decision', async () => {
  const { optimizations } = context.store;
  await create();
  await optimizations.finishStep(id, { decision: decision('first'), document: { rows: 1 }, set: { version: 'v1' } });
  await optimizations.finishStep(id, { decision: decision('second'), document: { rows: 2 }, set: { version: 'v2' } });
  expect(await optimizations.get(id)).toMatchObject({ decisions: [decision('first')], version: 'v1' });
  for (const number of [1, 2]) await optimizations.keepPart(id, 'propose', 'beam', { number });
  expect(await optimizations.parts(id, 'propose')).toEqual([{ number: 1 }]);
  await optimizations.finishStep(id, { decision: { ...decision('third'), step: 'propose' } });
  expect(await optimizations.parts(id, 'propose')).toEqual([]);
  const later = new Date(Date.now() + 60_000);
  await optimizations.removeDocuments(later);
  expect(await optimizations.document(id, 'gather')).toEqual({ rows: 1 });
  await optimizations.close(id, { state: 'completed', reason: 'done' }, by);
  await optimizations.removeDocuments(later);
  expect(await optimizations.document(id, 'gather')).toBeUndefined();
});

test('an end is for good, and nothing is told of its progress any more', async () => {
  const { optimizations } = context.store;
  await create();
  await optimizations.setProgress(id, { step: 'propose', about: 'beam', done: 1, of: 7 });
  expect((await optimizations.get(id))?.progress).toMatchObject({ about: 'beam' });
  await optimizations.close(id, { state: 'cancelled', reason: 'enough' }, by);
  await optimizations.setProgress(id, { step: 'propose' });
  const ended = await optimizations.close(id, { state: 'completed', reason: 'late' }, by);
  expect(ended).toMatchObject({ state: 'cancelled', reason: 'enough' });
  expect(ended.progress).toBeUndefined();
});
