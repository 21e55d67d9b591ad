/** The example's rate service as a process of its own, so that its CPU is not the platform's. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export async function startRates(): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const program = fileURLToPath(new URL('./rates-server.js', import.meta.resolve('@autoflow/retail-orders/pipeline')));
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const kill = (): void => void child.kill('SIGTERM');
  // Also where the benchmark is interrupted.
  process.once('exit', kill);
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return {
    url: (JSON.parse(line) as { url: string }).url,
    stop: async () => {
      process.off('exit', kill);
      kill();
      await once(child, 'exit');
    },
  };
}
