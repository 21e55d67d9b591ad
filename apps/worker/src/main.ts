import { createWorker } from '@autoflow/worker';
import { startTracing } from '@autoflow/telemetry';
import { readSettings } from './settings.js';

try {
  const settings = readSettings(process.env);
  const tracing = await startTracing({ service: 'autoflow-worker', env: process.env, log: complain });
  const worker = await createWorker({ ...settings, tracing });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void worker.stop());
  process.send?.({ started: true });
  await worker.done.finally(() => tracing?.close());
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

function complain(level: string, message: string, details: object = {}): void {
  process.stderr.write(`${JSON.stringify({ level, msg: message, ...details })}\n`);
}
