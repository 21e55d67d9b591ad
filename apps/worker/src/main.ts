import { createWorker } from '@autoflow/worker';
import { readSettings } from './settings.js';

try {
  const worker = await createWorker(readSettings(process.env));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void worker.stop());
  process.send?.({ started: true });
  await worker.done;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
