#!/usr/bin/env node
// `npm run test:servers`: the end-to-end tests on a Temporal server as it runs in production, with Postgres persistence. Needs Go the first time.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { freePort, startStack } from '@autoflow/local-stack';
import { Connection } from '@temporalio/client';
import { run } from '../bootstrap/commands.mjs';
import { root } from '../bootstrap/folders.mjs';
import { temporalServer } from '../bootstrap/temporal-server.mjs';
import { serverConfig, dynamicConfig } from './server-config.mjs';

const TESTS = ['test/src/execution/direct-door.test.ts', 'test/src/execution/executions.test.ts', 'test/src/fleet/three-workers.test.ts'];
const ANSWERS_WITHIN_MS = 90_000;

const built = await temporalServer();
if (built === undefined) {
  console.log(
    'skipped: Go is not on PATH, and the Temporal server is not in the cache folder. Install Go 1.24 or newer (https://go.dev/dl).',
  );
  process.exit(0);
}
for (const name of Object.keys(process.env)) if (name.startsWith('TEMPORAL_') || name === 'DATABASE_URL') delete process.env[name];
// For its Postgres; its Temporal server stays without work.
const stack = await startStack({ name: 'servers', mode: 'ephemeral', log: console.log });
let server;
try {
  const address = await start();
  console.log(`Temporal ${(await run(built.server, ['--version'])).trim()} answers at ${address}, over Postgres`);
  const tests = process.argv.slice(2);
  process.exitCode = await vitest(tests.length > 0 ? tests : TESTS, address);
} finally {
  if (server !== undefined && server.exitCode === null) {
    server.kill('SIGTERM');
    await Promise.race([once(server, 'exit'), after(10_000)]);
    server.kill('SIGKILL');
  }
  await stack.stop();
}

/** Schema, settings, process; resolves to the address when the server has its `default` namespace. */
async function start() {
  const database = new URL(stack.databaseUrl);
  for (const [name, schema] of [
    ['temporal', 'temporal'],
    ['temporal_visibility', 'visibility'],
  ]) {
    const { hostname, port, username, password } = database;
    const tool = (...args) =>
      run(built.sqlTool, ['--plugin', 'postgres12', '--ep', hostname, '-p', port, '-u', username, '--db', name, ...args], {
        env: { SQL_PASSWORD: password },
      });
    await tool('create-database');
    await tool('setup-schema', '-v', '0.0');
    await tool('update-schema', '-d', join(built.schema, schema, 'versioned'));
  }
  const folder = join(stack.folder, 'server');
  mkdirSync(folder);
  // The schema keeps a port as a smallint: above 32,767 the server does not start.
  const ports = [];
  while (ports.length < 9) {
    const port = await freePort(20_000 + Math.floor(Math.random() * 12_000));
    if (port < 32_768 && !ports.includes(port)) ports.push(port);
  }
  const config = { database, ports, dynamicConfigFile: join(folder, 'dynamic.yaml') };
  writeFileSync(join(folder, 'development.yaml'), serverConfig(config), { mode: 0o600 });
  writeFileSync(config.dynamicConfigFile, dynamicConfig());
  const logFile = join(folder, 'server.log');
  const log = openSync(logFile, 'w', 0o600);
  server = spawn(built.server, ['--root', folder, '--config', '.', '--env', 'development', '--allow-no-auth', 'start'], {
    stdio: ['ignore', log, log],
  });
  const address = `127.0.0.1:${ports[0]}`;
  for (const until = Date.now() + ANSWERS_WITHIN_MS; ; await after(250)) {
    if (server.exitCode !== null || Date.now() > until)
      throw new Error(`the Temporal server did not start:\n${readFileSync(logFile, 'utf8').slice(-3_000)}`);
    if (await answers(address)) return address;
  }
}

async function answers(address) {
  let connection;
  try {
    connection = await Connection.connect({ address, connectTimeout: '2s' });
    const workflowExecutionRetentionPeriod = { seconds: 86_400 };
    await connection.workflowService.registerNamespace({ namespace: 'default', workflowExecutionRetentionPeriod }).catch((error) => {
      if (!/already exists/i.test(String(error))) throw error;
    });
    await connection.workflowService.listWorkflowExecutions({ namespace: 'default' });
    return true;
  } catch {
    return false;
  } finally {
    await connection?.close();
  }
}

async function vitest(tests, address) {
  const child = spawn(
    process.execPath,
    [join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', '--config', 'infra/test/vitest.config.ts', ...tests],
    {
      cwd: root,
      env: { ...process.env, AUTOFLOW_TEST_TEMPORAL: address },
      stdio: 'inherit',
    },
  );
  const [code] = await once(child, 'exit');
  return code ?? 1;
}
