/** People end a rollout at the moment in which it is promoted. */
import { beforeAll, describe, expect, test } from 'vitest';
import { type ApiError, createClient } from '@autoflow/client';
import type { Store } from '@autoflow/store';
import { rolloutWorkflowId } from '@autoflow/workflows';
import { useApi } from '../testing/api.js';
import { filterEarly } from '../testing/parcels.js';

/** No worker runs here: the store itself is made to promote. */
const api = useApi();

beforeAll(async () => {
  await api.admin.versions.register('parcels', { topology: filterEarly });
});

describe('who rolls back while it is being promoted', () => {
  const promote = (id: string) =>
    api.store.rollouts.end({ id, outcome: 'promoted', by: { actor: 'rollout workflow', reason: 'cost is lower' } });
  const setStable = (version: string) =>
    api.store.definitions.setStable({ pipeline: 'parcels', version, by: { actor: 'somebody', reason: 'month end' } });
  /** A rollout, and a control plane that ends it where something has ended it a moment before. */
  const ended = async (before: (id: string) => Promise<unknown>) => {
    const { rollouts } = api.store;
    const crossed: Store['rollouts'] = {
      ...rollouts,
      end: async (request) => {
        await before(request.id);
        return rollouts.end(request);
      },
    };
    const { url } = await api.start({ store: { ...api.store, rollouts: crossed } });
    const client = createClient({ url, token: await api.store.access.createToken('crossed', 'operator') });
    const { id } = await client.rollouts.start('parcels', { version: 'v2', skipShadow: true });
    await api.temporal.workflow.getHandle(rolloutWorkflowId('parcels')).terminate();
    return { client, id };
  };

  test('has the baseline back when that is answered, and takes back what is under way on the candidate alone', async () => {
    const { client, id } = await ended(promote);
    const answer = await client.rollouts.rollBack('parcels', id, { reason: 'it is wrong', inFlight: 'abort' });
    expect(answer).toMatchObject({ state: 'rolled-back', outcome: 'it is wrong', inFlight: { version: 'v2' } });
    expect((await api.viewer.stable.show('parcels')).version).toBe('v1');
    const statuses = await api.store.definitions.statuses('parcels', 'v2');
    expect(statuses.slice(-3).map(({ status }) => status)).toEqual(['stable', 'retired', 'rolled-back']);
  });

  test('so has who aborts', async () => {
    const { client, id } = await ended(promote);
    expect(await client.rollouts.abort('parcels', id, 'enough')).toMatchObject({ state: 'aborted', outcome: 'enough' });
    expect((await api.viewer.stable.show('parcels')).version).toBe('v1');
  });

  test('is told what is stable, and how to go back, where somebody has moved the traffic meanwhile: nothing of it is taken back', async () => {
    const rollBack = async (before: (id: string) => Promise<unknown>) => {
      const { client, id } = await ended(before);
      const told = await client.rollouts.rollBack('parcels', id, { inFlight: 'abort' }).catch((error: unknown) => error);
      expect(told).toMatchObject({ code: 'ROLLOUT_ENDED' });
      return [(told as ApiError).problem.detail.replace(id, 'it'), (await api.viewer.stable.show('parcels')).version];
    };
    const back = 'v2 is stable. To go back: autoflow rollback parcels --to v1 --reason WHY';
    expect(await rollBack(() => setStable('v2'))).toEqual([`it is superseded: somebody has moved the traffic: month end. ${back}`, 'v2']);
    await setStable('v1');
    const { version } = await api.admin.versions.register('parcels', { topology: { ...filterEarly, batch: { records: 7 } } });
    const moved = (id: string) => promote(id).then(() => setStable(version.name));
    expect(await rollBack(moved)).toEqual([`it is promoted: cost is lower. ${version.name} is stable.`, version.name]);
  });
});
