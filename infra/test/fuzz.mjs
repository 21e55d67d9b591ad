#!/usr/bin/env node
// `npm run test:fuzz [-- EXAMPLES]`: schemathesis against the OpenAPI documents of the admin API and of ingest, with a token of each role, so many
// examples of each operation. No answer may be a 5xx, or have a status that is not documented. The last line counts; exit code 1 if there was one.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRunningStack } from '@autoflow/cli';
import { createControlPlane } from '@autoflow/control-plane';
import { createIngest } from '@autoflow/ingest';
import { samples, topology } from '@autoflow/retail-orders';
import { openStore } from '@autoflow/store';
import { Client, Connection } from '@temporalio/client';
import { schemathesis } from './schemathesis.mjs';

const INVOICES = new URL('../../apps/retail-orders/data/invoices.csv', import.meta.url).pathname;
const EXAMPLES = Number(process.argv[2] ?? 20);
/** What breaks a schema is tried systematically (coverage) as who may do all: what the other roles may do is part of that. */
const RUNS = [
  { role: 'admin', known: false, phases: 'examples,coverage,fuzzing' },
  { role: 'admin', known: true, phases: 'examples,coverage,fuzzing' },
  { role: 'operator', known: true, phases: 'fuzzing' },
  { role: 'viewer', known: true, phases: 'fuzzing' },
];
/** They answer as long as somebody listens. */
const STREAMS = '/events$';
const command = await schemathesis();
if (command === undefined) {
  console.log('skipped: Python 3.10 or newer is not on PATH.');
  process.exit(0);
}
const folder = mkdtempSync(join(tmpdir(), 'autoflow-fuzz-'));
const stack = await startRunningStack({ mode: 'ephemeral', name: 'fuzz', log: console.log });
const closings = [];
let failed = 0;
let cases = 0;
try {
  const services = await withoutRateLimit();
  const there = await things();
  for (const { role, known, phases } of RUNS) {
    const token = await services.store.access.createToken(`fuzz-${role}-${known}`, role);
    for (const [service, url] of Object.entries(services.urls)) {
      const { said, seed, report } = await fuzz({ url, token, there: known ? there : {}, phases });
      const { test_cases: made, failures, errors } = report;
      const broken = [...failures, ...errors];
      console.log(
        `${service} as ${role}${known ? ', of what is there' : ''}: ${made.generated} requests, ${broken.length} failures (seed ${seed})`,
      );
      if (broken.length > 0) console.log(said.slice(said.search(/=+ (ERRORS|FAILURES) =+/)));
      cases += made.generated;
      failed += broken.length;
    }
  }
} finally {
  for (const close of closings.reverse()) await close();
  await stack.stop();
  rmSync(folder, { recursive: true });
}
console.log(`fuzz: ${cases} requests, ${failed} failures`);
process.exitCode = failed > 0 || cases === 0 ? 1 : 0;

/** The stack's own services answer 429 soon. These have the same store and the same Temporal server. */
async function withoutRateLimit() {
  const store = await openStore({ connectionString: stack.databaseUrl });
  const connection = await Connection.connect({ address: stack.temporal.address });
  closings.push(
    () => store.close(),
    () => connection.close(),
  );
  const temporal = new Client({ connection, namespace: stack.temporal.namespace });
  const log = (level, message, details) => level === 'error' && console.log(`${message} ${JSON.stringify(details)}`);
  const controlPlane = await createControlPlane({ store, temporal, requestsPerMinute: 1e9, log });
  closings.push(() => controlPlane.close());
  const ingest = await createIngest({ store, temporal, log });
  closings.push(() => ingest.close());
  return { store, urls: { 'the admin API': controlPlane.url, ingest: ingest.url } };
}

/** Makes one of each thing, and answers what is there by the parameter's name: else nothing is reached behind that a thing is not there. */
async function things() {
  const { client, ingestClient } = stack;
  const pipeline = 'retail-orders';
  const key = 'fuzz-1';
  await ingestClient.records.submit(pipeline, { ...samples[0], InvoiceNo: key }, { waitS: 60 });
  const { version } = await client.versions.register(pipeline, { topology: topology('filter-early') });
  const source = { kind: 'csv', path: INVOICES, groupBy: 'InvoiceNo' };
  const [backfill, rollout, optimization, calibration] = await Promise.all([
    client.backfills.start(pipeline, { source, limit: 5 }),
    client.rollouts.start(pipeline, { version: version.name, skipShadow: true }),
    client.optimizations.start(pipeline, { dryRun: true, seconds: 5 }),
    client.calibrations.start(pipeline),
  ]);
  await client.tokens.create({ name: 'fuzzed', role: 'viewer', reason: 'fuzzing' });
  const webhook = await client.webhooks.create({ url: 'http://127.0.0.1:9/' });
  return {
    ...{ pipeline, key, version: 'v1', from: 'v1', to: version.name, stage: 'look-up-rate', 'If-Match': '*' },
    ...{ release: stack.pipelines[0].release, token: 'fuzzed', webhook: webhook.id, letter: '1' },
    ...{ backfill: backfill.id, rollout: rollout.id, optimization: optimization.id, calibration: calibration.id },
  };
}

async function fuzz({ url, token, there, phases }) {
  const document = await (await fetch(`${url}/v1/openapi.json`, { headers: { authorization: `Bearer ${token}` } })).json();
  const file = join(folder, 'openapi.json');
  writeFileSync(file, JSON.stringify(withNames(document, there)));
  const report = join(folder, 'report.json');
  const seed = randomInt(2 ** 31);
  const child = spawn(
    command,
    [
      ...[
        'run',
        file,
        '--url',
        url,
        '--header',
        `Authorization: Bearer ${token}`,
        '--checks',
        'not_a_server_error,status_code_conformance',
      ],
      ...['--phases', phases, '--max-examples', String(EXAMPLES), '--seed', String(seed), '--exclude-path-regex', STREAMS],
      // One at a time: with more, `ast.parse` of CPython 3.11 fails now and then, in the tool.
      ...['--workers', '1'],
      ...['--suppress-health-check', 'all', '--request-timeout', '90', '--continue-on-failure', '--warnings', 'off'],
      ...['--report', 'json', '--report-json-path', report, '--no-color'],
    ],
    { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (said += text));
  await once(child, 'close');
  return { said, seed, report: JSON.parse(readFileSync(report, 'utf8')) };
}

function withNames(document, there) {
  const named = (parameter) =>
    parameter.name in there ? { ...parameter, schema: { type: 'string', enum: [there[parameter.name]] } } : parameter;
  const operation = (item) => (item.parameters ? { ...item, parameters: item.parameters.map(named) } : item);
  const path = (item) => Object.fromEntries(Object.entries(item).map(([method, each]) => [method, operation(each)]));
  return { ...document, paths: Object.fromEntries(Object.entries(document.paths).map(([name, item]) => [name, path(item)])) };
}
