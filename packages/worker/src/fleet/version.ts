import { createRequire } from 'node:module';

/** Of this program, as the hosts of a fleet show it. */
export const VERSION: string = (createRequire(import.meta.url)('../../package.json') as { version: string }).version;
