import { fileURLToPath } from 'node:url';
import { codeHash } from '../cells/code-hash.js';

const built = (path: string): string => fileURLToPath(new URL(`../../../../${path}`, import.meta.url));
/** Of the twin, what no episode runs through. */
const APART = /^(fit|analytic|testing)\//;

/** Of what a policy comes from: the twin, the agent, and which scenarios it is trained and selected on. */
export const trainingCode = (): Promise<string> =>
  codeHash(['packages/twin/dist', 'packages/learning/dist/agent', 'test/dist/bench/agent'].map(built), APART);

/** Of what a rule is tuned by and judged by. */
export const judgingCode = (): Promise<string> =>
  codeHash(['packages/twin/dist', 'packages/optimizer/dist/allocators', 'test/dist/bench/agent'].map(built), APART);
