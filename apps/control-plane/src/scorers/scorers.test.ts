import { expect, test } from 'vitest';
import { Scorer } from '@autoflow/client/schemas';
import { CONTROL_QUEUE } from '@autoflow/topology';
import { RETRAINING_WORKFLOW, retrainingWorkflowId } from '@autoflow/workflows';
import { CalibrationsController } from '../calibrations/calibrations.controller.js';
import type { QuestionRuns } from '../ports.js';
import { useApi } from '../testing/api.js';
import { ScorersController } from './scorers.controller.js';

const api = useApi();
const error = { cost: 0.1, p95: 0.2, throughput: 0, all: 0.1 };
const about = {
  ...{ dataHash: 'd', seed: 1, base: 'pretrained', learnedFrom: ['v1'], stretches: { used: 9, leftOut: 1 }, metrics: { measuredPlans: 6 } },
  heldOut: { versions: ['v4', 'v5'], current: error, retrained: error },
};

test('a retraining is a workflow until its scorer is there, kept or not', async () => {
  const begun = Scorer.parse(await api.operator.scorers.retrain('parcels', { since: '7d', seed: 3, reason: 'much has changed' }));
  expect(begun).toMatchObject({ pipeline: 'parcels', state: 'running' });
  const run = await api.temporal.workflow.getHandle(retrainingWorkflowId('parcels', begun.id)).describe();
  expect([run.type, run.taskQueue, run.status.name]).toEqual([RETRAINING_WORKFLOW, CONTROL_QUEUE, 'RUNNING']);
  expect(await api.viewer.scorers.show('parcels', begun.id)).toMatchObject({ state: 'running' });
  expect((await api.viewer.audit({ pipeline: 'parcels' })).items[0]).toMatchObject({
    ...{ action: 'scorer.retrain', reason: 'much has changed' },
    after: { id: begun.id, request: { sinceMs: 7 * 24 * 3_600_000, seed: 3 } },
  });

  const { release } = (await api.store.definitions.pipeline('parcels'))!.stable;
  await api.store.scorers.add({ id: begun.id, pipeline: 'parcels', release, kept: true, reason: 'nearer', about, file: '{}' });
  await api.store.scorers.add({ id: 'sc-worse', pipeline: 'parcels', release, kept: false, reason: 'no nearer', about, file: '{}' });
  expect(Scorer.parse(await api.viewer.scorers.show('parcels', begun.id))).toMatchObject({
    ...{ state: 'completed', kept: true, release },
    about: { seed: 1 },
  });
  const { items, next } = await api.viewer.scorers.list('parcels', { limit: 1 });
  expect(items).toMatchObject([{ id: 'sc-worse', kept: false, reason: 'no nearer' }]);
  expect((await api.viewer.scorers.list('parcels', { cursor: next! })).items.map(({ id }) => id)).toEqual([begun.id]);
  expect((await api.store.scorers.current('parcels', release))?.id).toBe(begun.id);
  expect((await api.send('GET', '/v1/pipelines/parcels/scorers/sc-0')).problem.code).toBe('SCORER_UNKNOWN');
});

test('one whose workflow has answered is not running, whether or not its row is there', async () => {
  const controller = new ScorersController(api.store, questionsThatAnswered({ id: 'sc-1', kept: true, reason: 'nearer' }));
  expect(await controller.show('parcels', 'sc-1')).toMatchObject({
    state: 'completed',
    kept: false,
    reason: 'nearer But its row is gone.',
  });
});

test('so is a calibration told of, with its report', async () => {
  const report = { pipeline: 'parcels', version: 'v1', records: 9, batchSizes: [1], measured: [], notMeasured: [] };
  const controller = new CalibrationsController(api.store, questionsThatAnswered(report));
  expect(await controller.show('parcels', 'cal-1')).toEqual({
    ...{ id: 'cal-1', pipeline: 'parcels', state: 'completed', report },
    ...{ startedAt: expect.any(Date), endedAt: expect.any(Date) },
  });
  expect((await api.send('GET', '/v1/pipelines/parcels/calibrations/cal-0')).problem.code).toBe('CALIBRATION_UNKNOWN');
});

const questionsThatAnswered = (answer: object): QuestionRuns => ({
  start: async () => undefined,
  find: async <Answer>() => ({ askedAt: new Date(), answeredAt: new Date(), state: 'answered', answer: answer as Answer }),
});
