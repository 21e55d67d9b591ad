import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { startBenchPlatform, type BenchPlatform, type BenchWorker } from '../platform.js';

export interface Lab {
  readonly platform: BenchPlatform;
  readonly sql: pg.Pool;
  /** Where learners run: two processes, as on two hosts. */
  readonly hosts: readonly BenchWorker[];
  stop(): Promise<void>;
}

/** Real servers, the workflows in a process of their own, and two processes with the role learner. */
export async function startLab(): Promise<Lab> {
  const module = fileURLToPath(new URL('../pipelines/trivial.js', import.meta.url));
  const platform = await startBenchPlatform({ module, pipeline: 'trivial', onFile: false });
  const sql = new pg.Pool({ connectionString: platform.stack.databaseUrl, max: 1 });
  // The database ends before it where the benchmark is interrupted.
  sql.on('error', () => {});
  const stop = async (): Promise<void> => {
    await sql.end();
    await platform.stop();
  };
  try {
    const learner = { program: createRequire(import.meta.url).resolve('@autoflow/learning/learner') };
    await platform.startWorker({}, ['control']);
    const hosts = [await platform.startWorker({ learner }, ['learner']), await platform.startWorker({ learner }, ['learner'])];
    return { platform, sql, hosts, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
