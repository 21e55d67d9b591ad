import { expect, test } from 'vitest';
import { useTestStore } from './testing/fixtures.js';

const context = useTestStore();
const request = (key: string, body = 'body', actor = 'ci') => ({
  actor,
  key,
  route: 'POST /v1/x',
  digest: Buffer.from(body),
  retentionHours: 24,
});
const begin = (...args: Parameters<typeof request>) => context.store.idempotency.begin(request(...args));
const age = (key: string, by: string) =>
  context.sql.query(`update autoflow.idempotency_keys set created_at = now() - $2::interval where key = $1`, [key, by]);

test('of many at the same time one begins; when it has ended, the others get its answer', async () => {
  const begun = await Promise.all(Array.from({ length: 8 }, () => begin('a')));
  expect(begun.map(({ kind }) => kind).sort()).toEqual(['begun', ...Array<string>(7).fill('running')]);
  const answer = { status: 201, etag: '"3"', body: '{"id":1}' };
  await context.store.idempotency.finish({ actor: 'ci', key: 'a', answer });
  expect(await begin('a')).toEqual({ kind: 'answered', answer });
  expect((await begin('a', 'body', 'somebody else')).kind).toBe('begun');
});

test('a key stands for one request', async () => {
  await begin('b');
  expect(await begin('b', 'another')).toEqual({ kind: 'reused', route: 'POST /v1/x' });
});

test('one that failed, or was lost with its process, may be sent again', async () => {
  await begin('c');
  await context.store.idempotency.forget({ actor: 'ci', key: 'c' });
  expect((await begin('c', 'another')).kind).toBe('begun');
  await age('c', '2 minutes');
  expect((await begin('c')).kind).toBe('reused');
  expect((await begin('c', 'another')).kind).toBe('begun');
});

test('after the retention a key means nothing, and its row goes', async () => {
  await begin('d');
  await context.store.idempotency.finish({ actor: 'ci', key: 'd', answer: { status: 200 } });
  await context.store.idempotency.forget({ actor: 'ci', key: 'd' });
  expect(await begin('d')).toEqual({ kind: 'answered', answer: { status: 200 } });
  await age('d', '25 hours');
  await begin('e');
  expect((await context.sql.query(`select from autoflow.idempotency_keys where key = 'd'`)).rowCount).toBe(0);
});
