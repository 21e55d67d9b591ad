import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Built files: child processes run without the condition that lets tests run sources. */
const require = createRequire(import.meta.url);

export const SUPERVISED = () => fileURLToPath(new URL('../../dist/local/supervised.js', import.meta.url));
export const CONTROL_PLANE = () => require.resolve('@autoflow/control-plane/main');
export const INGEST = () => require.resolve('@autoflow/ingest/main');
export const WORKER = () => require.resolve('@autoflow/worker-app');
export const EXAMPLE_MODULE = () => require.resolve('@autoflow/retail-orders/pipeline');
export const RATES_SERVER = () => join(dirname(EXAMPLE_MODULE()), 'rates-server.js');
