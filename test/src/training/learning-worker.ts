import { createRequire } from 'node:module';
import type { TestStack } from '@autoflow/local-stack/testing';
import { createWorker, type Role, type RunningWorker } from '@autoflow/worker';

const program = (name: 'learner' | 'optimizer') => ({ program: createRequire(import.meta.url).resolve(`@autoflow/learning/${name}`) });

/** A worker with the programs that learn and optimize, on the servers of a test; the test stops it. */
export function startLearningWorker(stack: TestStack, host: string, roles: readonly Role[]): Promise<RunningWorker> {
  return createWorker({
    roles,
    temporal: stack.temporal,
    databaseUrl: stack.databaseUrl,
    batchStore: { driver: 'file', folder: stack.folder },
    releases: stack.folder,
    secret: () => undefined,
    host,
    logLevel: 'error',
    optimizer: program('optimizer'),
    // Tests run beside others, whom no learner has to make room for.
    learner: { ...program('learner'), beside: 1 },
  });
}
