import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface ChildTraining {
  /** Where the model is written; checkpoints lie in `PATH.work`, from which a later call goes on. */
  readonly out: string;
  readonly seed: number;
  readonly quick?: boolean;
  readonly graph?: boolean;
  readonly pipelines?: number;
  /** Folder with published workflows, for further families. */
  readonly data?: string;
  readonly signal?: AbortSignal;
  readonly progress?: (line: string) => void;
}

/** Labels and trains in a process of its own, which an abort ends; answers the figures that the model is kept with. */
export async function trainInChild({
  out,
  seed,
  quick,
  graph = true,
  pipelines,
  data,
  signal,
  progress,
}: ChildTraining): Promise<{ readonly [figure: string]: number | string }> {
  const flags = [
    ...(quick ? ['--quick'] : []),
    ...(graph ? [] : ['--no-graph']),
    ...(pipelines === undefined ? [] : ['--pipelines', String(pipelines)]),
    ...(data === undefined ? [] : ['--data', data]),
  ];
  const script = fileURLToPath(new URL('../../dist/gcn/train-process.js', import.meta.url));
  const child = spawn(process.execPath, [script, out, '--seed', String(seed), ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(signal && { signal }),
  });
  let last = '';
  createInterface({ input: child.stderr }).on('line', (line) => progress?.((last = line)));
  let answer = '';
  child.stdout.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
  if (code !== 0)
    throw new Error(`Training ended with ${code}; the last that it said: ${last}. Started again, it goes on from its last epoch.`);
  return JSON.parse(answer) as { readonly [figure: string]: number | string };
}
