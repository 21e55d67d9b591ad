import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import type { TestProject } from 'vitest/node';
import { type Stack, startStack } from '@autoflow/local-stack';
import type { TestServers } from '@autoflow/local-stack/testing';
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
      stack ??= startStack({ name: 'test', mode: 'ephemeral', namespaces: NAMESPACES, env, log: (line) => console.log(line) });
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

/** `npm run test:servers` (servers.mjs) has started a Temporal server for this run alone. */
function serversToUse(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const address = env['AUTOFLOW_TEST_TEMPORAL'];
  return address === undefined ? env : { ...env, TEMPORAL_ADDRESS: address };
}

function serversOf({ temporal, databaseUrl }: Stack): TestServers {
  return { temporalAddress: temporal.address, databaseUrl, namespaces: NAMESPACES };
}
