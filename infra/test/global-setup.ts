import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import type { TestProject } from 'vitest/node';
import { type Stack, startStack } from '@autoflow/local-stack';
import type { TestServers } from '@autoflow/local-stack/testing';
import { openStore } from '@autoflow/store';
import { forgetNamedServers } from './own-servers.js';

const NAMESPACES = Array.from({ length: 8 }, (_, index) => `test-${index + 1}`);

/**
 * One ephemeral stack for the whole run, started when the first test file asks for it (`useTestStack`), so that a
 * run of pure unit tests does not pay for it. Its servers are always its own, whatever the user's environment names;
 * that goes for the test processes too, which inherit the environment of this one. Returns the tear-down.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  forgetNamedServers(process.env);
  const env = serversToUse(process.env);
  let stack: Promise<Stack> | undefined;
  const server = createServer(async (_request, response) => {
    try {
      stack ??= startMigrated(env);
      response.end(JSON.stringify(serversOf(await stack)));
    } catch (error) {
      response.writeHead(500).end(error instanceof Error ? error.message : String(error));
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  project.provide('testStackUrl', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return async () => {
    server.close();
    await (await stack?.catch(() => undefined))?.stop();
  };
}

/** Its own database gets the schema here, once: test files get copies. */
async function startMigrated(env: NodeJS.ProcessEnv): Promise<Stack> {
  const stack = await startStack({ name: 'test', mode: 'ephemeral', namespaces: NAMESPACES, env, log: (line) => console.log(line) });
  try {
    const store = await openStore({ connectionString: stack.databaseUrl });
    await store.migrate();
    await store.close();
    return stack;
  } catch (error) {
    await stack.stop();
    throw error;
  }
}

/** `npm run test:servers` (servers.mjs) has started a Temporal server for this run alone. */
function serversToUse(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const address = env['AUTOFLOW_TEST_TEMPORAL'];
  return address === undefined ? env : { ...env, TEMPORAL_ADDRESS: address };
}

function serversOf({ temporal, databaseUrl }: Stack): TestServers {
  return { temporalAddress: temporal.address, databaseUrl, namespaces: NAMESPACES };
}
