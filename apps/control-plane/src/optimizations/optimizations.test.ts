import { expect, test } from 'vitest';
import { Optimization, OptimizationDetail } from '@autoflow/client/schemas';
import { CONTROL_QUEUE } from '@autoflow/topology';
import { OPTIMIZATION_WORKFLOW, optimizationWorkflowId } from '@autoflow/workflows';
import { useApi } from '../testing/api.js';

const api = useApi();
const PATH = '/v1/pipelines/parcels/optimizations';

test('only what is known can be asked', async () => {
  for (const body of [
    { dryRun: 'yes' },
    { proposers: ['oracle'] },
    { times: 2, ratePerSecond: 5 },
    { version: 'v9' },
    { training: { learners: 0, budget: { steps: 1 } } },
    { training: { learners: 33, budget: { steps: 1 } } },
    { training: { learners: 1, budget: { steps: 1 }, algorithm: 'dqn' } },
    { training: { learners: 1, budget: { steps: 1 }, seed: -1 } },
    { training: { learners: 1, budget: { steps: 1 }, patience: 0 } },
  ])
    expect((await api.send('POST', PATH, { body })).problem.code).toBe('INVALID_BODY');
  expect((await api.send('GET', `${PATH}/opt-0`)).problem.code).toBe('OPTIMIZATION_UNKNOWN');
});

test('an optimization has a row, then a workflow; of a pipeline one at a time, until it is cancelled', async () => {
  const { status, json } = await api.send('POST', PATH, { body: { dryRun: true, since: '1h', reason: 'try' } });
  expect(status).toBe(202);
  const begun = Optimization.parse(json);
  expect(begun).toMatchObject({ pipeline: 'parcels', state: 'running', actor: 'admin', request: { dryRun: true, sinceMs: 3_600_000 } });
  const run = await api.temporal.workflow.getHandle(optimizationWorkflowId(begun.id)).describe();
  expect([run.type, run.taskQueue, run.status.name]).toEqual([OPTIMIZATION_WORKFLOW, CONTROL_QUEUE, 'RUNNING']);
  expect((await api.viewer.audit({ pipeline: 'parcels' })).items[0]).toMatchObject({ action: 'optimization.create', reason: 'try' });

  expect((await api.send('POST', PATH, { body: {} })).problem).toMatchObject({ code: 'OPTIMIZATION_RUNNING', status: 409 });
  expect(await api.operator.optimizations.cancel('parcels', begun.id, 'enough')).toMatchObject({ state: 'cancelled', reason: 'enough' });
  const next = await api.operator.optimizations.start('parcels', {});
  expect((await api.viewer.optimizations.list('parcels')).items.map(({ id }) => id)).toEqual([next.id, begun.id]);
  expect(OptimizationDetail.parse(await api.viewer.optimizations.show('parcels', next.id))).toEqual(next);
  await api.operator.optimizations.cancel('parcels', next.id);
});

test('one whose workflow is only being started is not closed by the next', async () => {
  const starting = { id: 'opt-starting', pipeline: 'parcels', request: { dryRun: true } };
  await api.store.optimizations.create(starting, { actor: 'admin', reason: 'a moment ago' });
  expect((await api.send('POST', PATH, { body: {} })).problem).toMatchObject({ code: 'OPTIMIZATION_RUNNING', status: 409 });
  expect(await api.viewer.optimizations.show('parcels', starting.id)).toMatchObject({ state: 'running' });
  await api.operator.optimizations.cancel('parcels', starting.id);
});
