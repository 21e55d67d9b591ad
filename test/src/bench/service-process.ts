/** Ingest as a process of its own, as in production, so that its CPU and its memory are its own. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { BenchPlatform } from './platform.js';

export interface IngestProcess {
  readonly url: string;
  readonly token: string;
  /** Resident memory now, in MB. */
  memoryMb(): number;
  stop(): Promise<void>;
}

export async function startIngest({ stack, store }: BenchPlatform, waitingLimit: number): Promise<IngestProcess> {
  const token = await store.access.createToken('benchmark', 'operator');
  const child = fork(fileURLToPath(new URL('./main.js', import.meta.resolve('@autoflow/ingest'))), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: {
      ...process.env,
      DATABASE_URL: stack.databaseUrl,
      TEMPORAL_ADDRESS: stack.temporal.address,
      TEMPORAL_NAMESPACE: stack.temporal.namespace,
      AUTOFLOW_INGEST_PORT: '0',
      AUTOFLOW_INGEST_WAITING_LIMIT: String(waitingLimit),
      AUTOFLOW_LOG_LEVEL: 'warn',
    },
  });
  const ended = once(child, 'exit');
  const ready = await Promise.race([once(child, 'message'), ended.then(() => undefined)]);
  if (ready === undefined) throw new Error('ingest ended before it listened; see what it printed above');
  const [{ url }] = ready as [{ url: string }];
  return {
    url,
    token,
    memoryMb: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0) / 1024,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
