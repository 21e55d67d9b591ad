/** Ingest and the control plane as processes of their own, as in production, so that their CPU and their memory are their own. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { BenchPlatform } from './platform.js';

export interface ServiceProcess {
  readonly url: string;
  /** Resident memory now, in MB. */
  memoryMb(): number;
  stop(): Promise<void>;
}
export interface IngestProcess extends ServiceProcess {
  readonly token: string;
}

export async function startIngest(platform: BenchPlatform, waitingLimit: number): Promise<IngestProcess> {
  const token = await platform.store.access.createToken('benchmark', 'operator');
  const env = { AUTOFLOW_INGEST_PORT: '0', AUTOFLOW_INGEST_WAITING_LIMIT: String(waitingLimit) };
  return { token, ...(await startService('@autoflow/ingest', platform, env)) };
}

export function startControlPlane(platform: BenchPlatform): Promise<ServiceProcess> {
  return startService('@autoflow/control-plane', platform, { AUTOFLOW_API_PORT: '0' });
}

async function startService(app: string, { stack }: BenchPlatform, env: NodeJS.ProcessEnv): Promise<ServiceProcess> {
  const child = fork(fileURLToPath(new URL('./main.js', import.meta.resolve(app))), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: {
      ...process.env,
      DATABASE_URL: stack.databaseUrl,
      TEMPORAL_ADDRESS: stack.temporal.address,
      TEMPORAL_NAMESPACE: stack.temporal.namespace,
      AUTOFLOW_LOG_LEVEL: 'warn',
      ...env,
    },
  });
  const ended = once(child, 'exit');
  const ready = await Promise.race([once(child, 'message'), ended.then(() => undefined)]);
  if (ready === undefined) throw new Error(`${app} ended before it listened; see what it printed above`);
  const [{ url }] = ready as [{ url: string }];
  return {
    url,
    memoryMb: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0) / 1024,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
