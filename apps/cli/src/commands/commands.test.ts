/** The built command against a control plane on real servers. */
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createControlPlane } from '@autoflow/control-plane';
import { samples, topology } from '@autoflow/retail-orders';
import type { Store } from '@autoflow/store';
import { useServers } from '../testing/servers.js';
import { autoflow as run, start } from '../testing/spawn.js';

const servers = useServers();
const autoflow = (...args: string[]) => servers.autoflow(...args);
const json = (...args: string[]) => servers.json(...args);

test('pipelines are listed and shown, as JSON and as a table', async () => {
  expect(await json('pipelines', 'list')).toMatchObject({
    code: 0,
    stderr: '',
    json: [{ name: 'retail-orders', stable: { version: 'v1' } }],
  });
  const { stdout } = await autoflow('pipelines', 'show', 'retail-orders');
  expect(stdout).toMatch(/store-order +function +idempotent-write/);
  expect((await autoflow('pipelines', 'show', 'retail-orders', '--mermaid')).stdout).toMatch(/^flowchart/);
});

test('a version is registered, compared, made stable and rolled back', async () => {
  const file = join(servers.folder, 'filter-early.json');
  await writeFile(file, JSON.stringify(topology('filter-early')));
  expect(await json('versions', 'register', 'retail-orders', '--file', file)).toMatchObject({
    code: 0,
    json: { name: 'v2', parent: 'v1', created: true },
  });
  expect((await json('versions', 'diff', 'retail-orders', 'v1', 'v2')).json.changes.length).toBeGreaterThan(2);
  expect((await autoflow('versions', 'diff', 'retail-orders', 'v1', 'v2', '--mermaid')).stdout).toMatch(
    /^flowchart[^]*:::added[^]*:::removed/,
  );
  expect(await json('versions', 'stable', 'retail-orders', 'v2')).toMatchObject({ code: 2, json: { error: { code: 'USAGE' } } });
  expect(await json('versions', 'stable', 'retail-orders', 'v2', '--reason', 'better')).toMatchObject({ code: 0, json: { version: 'v2' } });
  expect(await json('rollback', 'retail-orders', '--reason', 'month end')).toMatchObject({
    code: 0,
    json: { from: { version: 'v2' }, to: { version: 'v1' } },
  });
  expect(await json('rollback', 'retail-orders', '--reason', 'again')).toMatchObject({ code: 1, json: { error: { code: 'NO_PARENT' } } });
  expect((await autoflow('versions', 'list', 'retail-orders')).stdout).toMatch(/v1 +aaaaaaa +stable +admin +8 stages, batch 1/);
});

test('an illegal topology is refused with its problems', async () => {
  const file = join(servers.folder, 'illegal.json');
  await writeFile(file, JSON.stringify({ stages: [{ nodes: ['store-order'], after: [] }], batch: { records: 1 } }));
  const refused = await autoflow('versions', 'register', 'retail-orders', '--file', file);
  expect([refused.code, refused.stdout]).toEqual([1, '']);
  expect(refused.stderr).toMatch(/\/topology.*parse-invoice/);
  expect((await json('versions', 'register', 'retail-orders', '--file', file)).json.error).toMatchObject({
    code: 'VERSION_ILLEGAL',
    errors: expect.any(Array),
  });
});

test('an allocation is changed and shown', async () => {
  const set = await json('allocation', 'set', 'retail-orders', 'score-fraud', '--memory', '512', '--concurrency', '2', '--reason', 'less');
  expect(set).toMatchObject({ code: 0, json: { stages: { 'score-fraud': { memoryMb: 512, concurrency: 2 } } } });
  expect((await autoflow('allocation', 'show', 'retail-orders')).stdout).toMatch(/score-fraud +512/);
  expect(await json('allocation', 'set', 'retail-orders', 'score-fraud', '--memory', '5', '--reason', 'x')).toMatchObject({
    code: 1,
    json: { error: { code: 'ALLOCATION_OUT_OF_BOUNDS' } },
  });
});

test('what-if is asked of an allocation: the stages given, the others as they are', async () => {
  const ask = (...args: string[]) => json('what-if', 'retail-orders', ...args);
  expect(await ask('--stage', 'score-fraud=5x2')).toMatchObject({
    code: 1,
    json: { error: { code: 'ALLOCATION_OUT_OF_BOUNDS', errors: [{ pointer: '/stages/score-fraud/memoryMb' }] } },
  });
  expect(await ask('--stage', 'score=512x2')).toMatchObject({ code: 1, json: { error: { code: 'STAGE_UNKNOWN' } } });
  expect(await ask('--stage', 'score-fraud=512x2')).toMatchObject({ code: 1, json: { error: { code: 'NOT_IDENTIFIABLE' } } });
});

test('an allocation is clamped, and the clamp is lifted', async () => {
  const clamp = (...args: string[]) => json('allocation', 'clamp', 'retail-orders', 'score-fraud', ...args, '--reason', 'x');
  expect(await clamp('--concurrency', '1..1')).toMatchObject({ code: 0, json: { stages: { 'score-fraud': { concurrency: 1 } } } });
  expect((await autoflow('allocation', 'show', 'retail-orders')).stdout).toMatch(/score-fraud .*instances 1\.\.1/);
  expect(await clamp()).toMatchObject({ code: 2 });
  expect(await clamp('--off')).toMatchObject({ code: 0, json: { clamps: {} } });
});

test('tokens are made, rotated and revoked, and the audit log has it', async () => {
  const made = await json('tokens', 'create', 'ci', '--role', 'viewer', '--reason', 'build');
  expect(made).toMatchObject({ code: 0, json: { name: 'ci', role: 'viewer', token: expect.stringMatching(/^af_/) } });
  expect((await autoflow('tokens', 'rotate', 'ci', '--grace', '0', '--reason', 'monthly')).stdout).toMatch(/^af_[\w-]{43}\n/);
  const listed = await autoflow('tokens', 'list');
  expect(listed.stdout).toMatch(/ci +viewer/);
  expect(listed.stdout).not.toContain('af_');
  expect(await json('tokens', 'revoke', 'admin', '--reason', 'x')).toMatchObject({ code: 1, json: { error: { code: 'LAST_ADMIN' } } });
  expect((await autoflow('tokens', 'revoke', 'ci', '--reason', 'done')).code).toBe(0);
  expect((await autoflow('audit', '--action', 'token', '--since', '1h')).stdout).toMatch(/admin +token\.revoke +done/);
});

test('autonomy, freezes and the pin are set and shown', async () => {
  expect((await autoflow('autonomy', 'retail-orders')).stdout).toMatch(/^retail-orders suggest \(the default\)/);
  const set = await json(
    'autonomy',
    'retail-orders',
    'canary',
    '--freeze',
    'Fri 16:00 - Mon 08:00',
    '--time-zone',
    'Europe/Berlin',
    '--minimise',
    'cost',
    '--p99',
    '1s',
    '--spend-cap',
    '0.5',
    '--approval-days',
    '3',
    '--reason',
    'go',
  );
  expect(set).toMatchObject({
    code: 0,
    json: {
      ...{ autonomy: 'canary', objective: { minimise: 'cost', p99Ms: 1000 }, spendCapUsd: 0.5, approvalDays: 3 },
      freezes: [{ timeZone: 'Europe/Berlin' }],
    },
  });
  expect((await autoflow('autonomy', 'retail-orders')).stdout).toContain('within 3 days');
  expect(await json('autonomy', 'retail-orders', '--approval-days', '-1', '--reason', 'x')).toMatchObject({ code: 2 });
  expect(await json('autonomy', 'retail-orders', 'auto')).toMatchObject({ code: 2 });
  expect(await json('versions', 'pin', 'retail-orders', '--reason', 'audit')).toMatchObject({
    code: 0,
    json: { pinned: 'v1', autonomy: 'canary' },
  });
  expect((await autoflow('versions', 'unpin', 'retail-orders', '--reason', 'done')).stdout).not.toContain('pinned');
  expect(await json('autonomy', 'retail-orders', '--freeze', 'always', '--reason', 'x')).toMatchObject({
    code: 1,
    json: { error: { code: 'INVALID_BODY' } },
  });
});

test('control of the allocation is switched and shown', async () => {
  expect((await autoflow('control', 'retail-orders')).stdout).toMatch(/^retail-orders control shadow · shadow \(no controller runs\)/);
  expect(await json('control', 'retail-orders', 'auto')).toMatchObject({ code: 2 });
  expect(await json('control', 'retail-orders', 'wild', '--reason', 'x')).toMatchObject({ code: 2 });
  expect(await json('control', 'retail-orders', 'auto', '--interval', '5s', '--instances', '40', '--reason', 'go')).toMatchObject({
    code: 0,
    json: { setting: { mode: 'auto', intervalMs: 5000, instances: 40 } },
  });
  expect(await json('control', 'retail-orders', 'off', '--reason', 'stop')).toMatchObject({
    json: { setting: { mode: 'off', intervalMs: 5000 } },
  });
  const watching = start([
    'allocation',
    'show',
    'retail-orders',
    '--watch',
    '--json',
    '--api',
    servers.controlPlane.url,
    '--token',
    servers.token,
  ]);
  expect(await watching.answered).toMatchObject({ version: 'v1', control: { mode: 'off' } });
  watching.child.kill('SIGINT');
  expect((await watching.ended).code).toBe(0);
});

test('dead letters are redriven in bulk when it is said which', async () => {
  expect(await json('dead-letters', 'redrive', 'retail-orders', '--reason', 'x')).toMatchObject({ code: 2 });
  expect(await json('dead-letters', 'redrive', 'retail-orders', '--code', 'RATE_UNKNOWN', '--reason', 'x')).toMatchObject({
    code: 0,
    json: { done: 0, remaining: 0 },
  });
  expect(await json('dead-letters', 'discard', 'retail-orders', '7', '--reason', 'x')).toMatchObject({
    code: 1,
    json: { error: { code: 'DEAD_LETTER_UNKNOWN' } },
  });
  expect(await json('dead-letters', 'list', 'retail-orders', '--groups')).toMatchObject({ code: 0, json: [] });
});

test('a backfill is started, listed, paused and cancelled', async () => {
  const source = join(servers.folder, 'invoices.csv');
  await writeFile(source, 'InvoiceNo,StockCode\n1,2\n');
  const started = await json('backfill', 'retail-orders', '--source', source, '--group-by', 'InvoiceNo', '--limit', '5', '--scope', 'try');
  expect(started).toMatchObject({
    code: 0,
    json: { state: 'running', scope: 'try', limit: 5, source: { kind: 'csv', path: source, groupBy: 'InvoiceNo' } },
  });
  const { id } = started.json;
  expect(await json('backfills', 'pause', 'retail-orders', id)).toMatchObject({ code: 0, json: { state: 'paused' } });
  expect(await json('backfills', 'cancel', 'retail-orders', id)).toMatchObject({ code: 0, json: { state: 'cancelled' } });
  expect(await json('backfills', 'resume', 'retail-orders', id)).toMatchObject({ code: 1, json: { error: { code: 'BACKFILL_ENDED' } } });
  expect((await autoflow('backfills', 'list', 'retail-orders')).stdout).toContain(`${id}  cancelled`);
});

test('hosts are listed, also when there are none', async () => {
  expect(await autoflow('hosts')).toMatchObject({ code: 0, stdout: 'No host is alive.\n' });
  const host = {
    host: 'worker-1',
    incarnation: randomUUID(),
    roles: ['control', 'functions'],
    version: '0.1.0',
    enforcement: 'soft',
  } as const;
  // As a host does: the command may take longer than a lease on a busy machine.
  const beating = setInterval(() => void servers.store.fleet.beat(host, []), 500);
  try {
    await servers.store.fleet.beat(host, []);
    expect(await json('hosts')).toMatchObject({
      code: 0,
      json: { items: [{ host: 'worker-1', roles: ['control', 'functions'], pools: [] }] },
    });
    expect((await autoflow('hosts')).stdout).toMatch(/worker-1 +control functions +0\.1\.0 +soft +0 +0 +0/);
  } finally {
    clearInterval(beating);
  }
});

test('records are submitted, one and many, listed, shown, taken back, and asked why they wait', async () => {
  const { InvoiceNo: _, ...invoice } = samples[0]! as { InvoiceNo: string };
  const one = await json('submit', 'retail-orders', '--record', JSON.stringify(invoice), '--key', 'c-1');
  expect(one).toMatchObject({ code: 0, json: { counts: { accepted: 1 }, results: [{ key: 'c-1', status: 'accepted' }] } });
  const file = join(servers.folder, 'invoices.jsonl');
  const lines = [{ ...invoice, InvoiceNo: 'c-2' }, { InvoiceNo: 3 }, { ...invoice, InvoiceNo: 'c-1' }].map((line) => JSON.stringify(line));
  await writeFile(file, `${lines.join('\n')}\n{broken\n`);
  const many = await json('submit', 'retail-orders', '--file', file);
  expect(many).toMatchObject({ code: 1, json: { counts: { accepted: 1, known: 1, conflict: 0, invalid: 2 } } });
  expect(many.stderr).toContain('2 of 4 records');
  expect((await autoflow('submit', 'retail-orders', '--file', file)).stdout).toMatch(
    /0 accepted, 2 known.*\nline 2 is not valid.*\nline 4 is not valid/,
  );

  expect((await autoflow('records', 'list', 'retail-orders', '--state', 'waiting')).stdout).toMatch(/c-1 +waiting.*\nc-2 +waiting/);
  expect(await json('why', 'retail-orders', 'c-2')).toMatchObject({ code: 0, json: { state: 'waiting', inbox: { ahead: 1 } } });
  expect((await autoflow('why', 'retail-orders', 'c-1')).stdout).toMatch(/^waiting .* in the inbox/);
  expect(await json('records', 'cancel', 'retail-orders', 'c-2')).toMatchObject({ code: 0, json: { state: 'cancelled' } });
  expect((await autoflow('records', 'show', 'retail-orders', 'c-2')).stdout).toMatch(/^c-2 cancelled/);
  expect((await json('records', 'list', 'retail-orders', '--since', '1h')).json.items).toHaveLength(2);
  expect((await json('records', 'list', 'retail-orders', '--since', '2100-01-01T00:00:00Z')).json.items).toEqual([]);
  expect((await json('records', 'list', 'retail-orders', '--reason', 'no such')).json.items).toEqual([]);
  const page = await json('records', 'list', 'retail-orders', '--limit', '1');
  expect((await json('records', 'list', 'retail-orders', '--limit', '1', '--cursor', page.json.next)).json.items).toMatchObject([
    { key: 'c-2' },
  ]);
  expect(await json('records', 'show', 'retail-orders', 'c-9')).toMatchObject({ code: 1, json: { error: { code: 'RECORD_UNKNOWN' } } });
});

test('feeding is paused and resumed, with a reason', async () => {
  expect(await json('feeding', 'pause', 'retail-orders')).toMatchObject({ code: 2 });
  expect(await json('feeding', 'pause', 'retail-orders', '--reason', 'month end')).toMatchObject({
    code: 0,
    json: { feedingPaused: true },
  });
  expect((await autoflow('arms', 'retail-orders')).stdout).toContain('feeding is paused');
  expect((await autoflow('feeding', 'resume', 'retail-orders', '--reason', 'done')).stdout).toBe('retail-orders is fed\n');
});

test('metrics and dead letters are answered, also when there are none', async () => {
  expect(await json('metrics', 'retail-orders', '--by', 'stage', '--since', '15m')).toMatchObject({
    code: 0,
    json: { by: 'stage', rows: [] },
  });
  expect(await autoflow('dead-letters', 'list', 'retail-orders')).toMatchObject({ code: 0, stdout: 'No dead letters.\n' });
  expect(await json('status')).toMatchObject({ code: 0, json: { status: 'ok', pipelines: [{ name: 'retail-orders' }] } });
});

test.each([
  ['an unknown command', ['nonsense']],
  ['no command', []],
  ['an unknown option', ['status', '--nonsense']],
  ['a missing argument', ['pipelines', 'show']],
  ['a missing option', ['rollback', 'retail-orders']],
  ['a number that is none', ['backfill', 'retail-orders', '--source', 'x.csv', '--limit', 'many']],
  ['memory sizes that are none', ['calibrate', 'retail-orders', '--memory', 'small,large']],
  ['a rate that is none', ['what-if', 'retail-orders', '--rate', 'fast']],
  ['a stage of no allocation', ['what-if', 'retail-orders', '--stage', 'score-fraud=512']],
  ['a file that is not there', ['backfill', 'retail-orders', '--source', 'nowhere.csv']],
  ['a file of another kind', ['backfill', 'retail-orders', '--source', 'package.json']],
  ['neither a file nor a record', ['submit', 'retail-orders']],
  ['a record that is no JSON', ['submit', 'retail-orders', '--record', 'x']],
  ['records of a file that is not there', ['submit', 'retail-orders', '--file', 'nowhere.jsonl']],
  ['a module that is not there', ['test', 'nowhere']],
  ['a topology that is no JSON', ['versions', 'register', 'retail-orders', '--file', 'nowhere.json']],
])('%s is a usage error: 2', async (_, args) => {
  const { code, stdout, stderr } = await autoflow(...args);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).not.toBe('');
  expect(await json(...args)).toMatchObject({ code: 2, stderr: '', json: { error: { code: 'USAGE', detail: expect.any(String) } } });
});

test('an API that says no: 1; one that does not answer: 3', async () => {
  expect(await json('metrics', 'nothing')).toMatchObject({ code: 1, json: { error: { code: 'PIPELINE_UNKNOWN', status: 404 } } });
  expect(await run('pipelines', 'list', '--json', '--api', servers.controlPlane.url, '--token', 'wrong')).toMatchObject({
    code: 1,
    json: { error: { code: 'UNAUTHENTICATED' } },
  });
  expect(await run('pipelines', 'list', '--json', '--api', 'http://127.0.0.1:1')).toMatchObject({
    code: 3,
    json: { error: { code: 'API_UNREACHABLE' } },
  });
  expect(await run('pipelines', 'list', '--stack', 'no-such-stack')).toMatchObject({
    code: 3,
    stdout: '',
    stderr: expect.stringContaining('autoflow up'),
  });
  expect(await run('--help')).toMatchObject({ code: 0, stdout: expect.stringContaining('Exit codes') });
});

test('a rollout is started, told of and listed; nothing is saved yet', async () => {
  const begun = await json('rollout', 'retail-orders', 'v2', '--steps', '5,50', '--period', '30s', '--skip-shadow', '--reason', 'try it');
  expect(begun).toMatchObject({ code: 0, json: { version: 'v2', settings: { steps: [5, 50], periodMs: 30_000, shadowRecords: 0 } } });
  expect((await autoflow('rollout', 'show', 'retail-orders')).stdout).toContain('v2 against v1\nstarting');
  expect((await autoflow('rollout', 'list', 'retail-orders')).stdout).toMatch(/v2 +v1 +starting +admin/);
  expect(await json('rollout', 'retail-orders', 'v2')).toMatchObject({ code: 1, json: { error: { code: 'ROLLOUT_ACTIVE' } } });
  expect(await json('rollback', 'retail-orders', '--to', 'v1', '--reason', 'enough')).toMatchObject({
    code: 0,
    json: { to: { version: 'v1', notices: expect.arrayContaining([expect.stringContaining('has ended by this')]) } },
  });
  expect(await json('rollout', 'abort', 'retail-orders')).toMatchObject({ code: 1, json: { error: { code: 'ROLLOUT_ENDED' } } });
  expect((await autoflow('savings', 'retail-orders')).stdout).toContain('saved $0');
});

test('a rollback without a name ends the rollout that is under way, and keeps the stable version', async () => {
  // Nobody runs them here: nobody would hear of another one, or of its end, before the patience for Temporal is over.
  const terminate = () => servers.temporal.workflow.getHandle('rollout/retail-orders').terminate();
  await terminate();
  const { json: begun } = await json('rollout', 'retail-orders', 'v2', '--skip-shadow');
  await terminate();
  const { code, stdout } = await autoflow('rollback', 'retail-orders', '--reason', 'it is wrong');
  expect([code, stdout]).toEqual([
    0,
    expect.stringMatching(`^v2 → v1 .* ${begun.id} has ended, and v1 is stable; those under way end on v2\n`),
  ]);
  expect(await json('rollout', 'show', 'retail-orders')).toMatchObject({ json: { state: 'rolled-back', outcome: 'it is wrong' } });
  expect(await json('pipelines', 'show', 'retail-orders')).toMatchObject({ json: { stable: { version: 'v1' } } });
});

test('a rollback that comes a moment behind a promotion has the version before stable, and says so', async () => {
  const { rollouts } = servers.store;
  const promotes: Store['rollouts'] = {
    ...rollouts,
    end: async (request) => {
      await rollouts.end({ id: request.id, outcome: 'promoted', by: { actor: 'rollout workflow', reason: 'cost is lower' } });
      return rollouts.end(request);
    },
  };
  const controlPlane = await createControlPlane({ store: { ...servers.store, rollouts: promotes }, temporal: servers.temporal });
  try {
    const { json: begun } = await json('rollout', 'retail-orders', 'v2', '--skip-shadow');
    await servers.temporal.workflow.getHandle('rollout/retail-orders').terminate();
    const told = ['rollback', 'retail-orders', '--reason', 'it is wrong', '--api', controlPlane.url, '--token', servers.token, '--json'];
    expect(await run(...told)).toMatchObject({
      code: 0,
      json: { from: { version: 'v2' }, to: { version: 'v1' }, rollout: { id: begun.id, state: 'rolled-back', outcome: 'it is wrong' } },
    });
  } finally {
    await controlPlane.close();
  }
  expect(await json('pipelines', 'show', 'retail-orders')).toMatchObject({ json: { stable: { version: 'v1' } } });
});

test('--quiet says nothing', async () => {
  expect(await autoflow('pipelines', 'list', '--quiet')).toMatchObject({ code: 0, stdout: '', stderr: '' });
});

test('the example is tried and checked without any server', async () => {
  const tried = await run('test', 'retail-orders', '--batch-sizes', '1,4,all', '--json');
  expect(tried.code).toBe(0);
  expect(tried.json.outcomes.map(({ state }: { state: string }) => state)).toEqual(expect.arrayContaining(['completed', 'filtered']));
  const checked = await run('check', 'retail-orders', '--json');
  expect(checked).toMatchObject({
    code: 0,
    json: [{ pipeline: 'retail-orders', problems: [], reduces: [{ node: 'revenue-by-category', holds: true }] }],
  });
});
