import { expect, test } from 'vitest';
import { Scorer } from '@autoflow/client/schemas';
import { CONTROL_QUEUE } from '@autoflow/topology';
import { RETRAINING_WORKFLOW, retrainingWorkflowId } from '@autoflow/workflows';
import { useApi } from '../testing/api.js';

const api = useApi();
const error = { cost: 0.1, p95: 0.2, throughput: 0, all: 0.1 };
const about = {
  ...{ dataHash: 'd', seed: 1, base: 'pretrained', stretches: { used: 9, leftOut: 1 }, metrics: { measuredPlans: 6 } },
  heldOut: { versions: ['v4'], current: error, retrained: error },
};

test('a retraining is a workflow until its scorer is there, kept or not', async () => {
  const begun = Scorer.parse(await api.operator.scorers.retrain('parcels', { since: '7d', seed: 3 }));
  expect(begun).toMatchObject({ pipeline: 'parcels', state: 'running' });
  const run = await api.temporal.workflow.getHandle(retrainingWorkflowId('parcels', begun.id)).describe();
  expect([run.type, run.taskQueue, run.status.name]).toEqual([RETRAINING_WORKFLOW, CONTROL_QUEUE, 'RUNNING']);
  expect(await api.viewer.scorers.show('parcels', begun.id)).toMatchObject({ state: 'running' });

  await api.store.scorers.add({ id: begun.id, pipeline: 'parcels', kept: true, reason: 'nearer', about, file: '{}' });
  await api.store.scorers.add({ id: 'sc-worse', pipeline: 'parcels', kept: false, reason: 'no nearer', about, file: '{}' });
  expect(Scorer.parse(await api.viewer.scorers.show('parcels', begun.id))).toMatchObject({
    state: 'completed',
    kept: true,
    about: { seed: 1 },
  });
  const { items, next } = await api.viewer.scorers.list('parcels', { limit: 1 });
  expect(items).toMatchObject([{ id: 'sc-worse', kept: false, reason: 'no nearer' }]);
  expect((await api.viewer.scorers.list('parcels', { cursor: next! })).items.map(({ id }) => id)).toEqual([begun.id]);
  expect((await api.store.scorers.current('parcels'))?.id).toBe(begun.id);
  expect((await api.send('GET', '/v1/pipelines/parcels/scorers/sc-0')).problem.code).toBe('SCORER_UNKNOWN');
});
