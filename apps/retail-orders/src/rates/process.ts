import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface RatesProcess {
  readonly url: string;
  stop(): Promise<void>;
}

/** The rate service as a process of its own, as a service of somebody else would be; resolves when it answers. Needs the build. */
export async function startRatesProcess(): Promise<RatesProcess> {
  const program = fileURLToPath(new URL('../rates-server.js', import.meta.url));
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const url = await firstUrl(child);
  return {
    url,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

async function firstUrl(child: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: child.stdout! })) return (JSON.parse(line) as { url: string }).url;
  throw new Error('the rate service ended before it printed its address; build the project (npm run build) and look at what it printed');
}
