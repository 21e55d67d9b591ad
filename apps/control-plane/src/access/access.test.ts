import { expect, test } from 'vitest';
import type { ApiError } from '@autoflow/client';
import { useApi } from '../testing/api.js';
import { parcelsSpec, RELEASE } from '../testing/parcels.js';

const api = useApi();

test.each([
  ['none', undefined],
  ['a wrong one', 'Bearer af_wrong'],
  ['a prefix of nothing', 'Bearer '],
  ['another scheme', 'Basic YTpi'],
  ['rubbish', 'Bearer a b c'],
])('a request with %s for a token is not let in', async (_, authorization) => {
  const answer = await fetch(`${api.url}/v1/pipelines`, authorization === undefined ? {} : { headers: { authorization } });
  expect(answer.status).toBe(401);
  expect(answer.headers.get('www-authenticate')).toContain('Bearer');
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  expect(await answer.json()).toMatchObject({ code: 'UNAUTHENTICATED', retryable: false });
});

const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => 'done',
    (error: unknown) => (error as ApiError).problem.code,
  );

test('a viewer looks, an operator changes what runs, an admin registers', async () => {
  const register = { spec: parcelsSpec, release: RELEASE };
  const move = { version: 'v1', reason: 'test' };
  expect(await codeOf(api.viewer.pipelines.list())).toBe('done');
  expect(await codeOf(api.viewer.stable.set('parcels', move, '*'))).toBe('FORBIDDEN');
  expect(await codeOf(api.operator.stable.set('parcels', move, '*'))).toBe('done');
  expect(await codeOf(api.operator.pipelines.register(register))).toBe('FORBIDDEN');
  expect(await codeOf(api.admin.pipelines.register(register))).toBe('done');
});

test('nothing is done for a request that is not let in', async () => {
  const { revision } = await api.viewer.stable.show('parcels');
  await codeOf(api.viewer.stable.set('parcels', { version: 'v1', reason: 'test' }, revision));
  expect((await api.viewer.stable.show('parcels')).revision).toBe(revision);
});

test('tokens are stored as hashes, and never answered', async () => {
  const audit = JSON.stringify(await api.viewer.audit());
  expect(audit).toContain('token.create');
  expect(audit).not.toMatch(/af_[\w-]{20}/);
});
