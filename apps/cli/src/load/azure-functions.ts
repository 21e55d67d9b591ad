import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { isUsable, type FunctionCounts } from '@autoflow/twin';

const MINUTES = 1440;

/** The functions of the trace that are fit for experiments, in the order of the file. */
export async function readFunctions(dataFolder: string): Promise<FunctionCounts[]> {
  const file = createReadStream(join(dataFolder, 'azure-functions', 'invocations.csv.gz'));
  const unzipped = createGunzip();
  file.on('error', (error) => unzipped.destroy(error));
  const found: FunctionCounts[] = [];
  for await (const line of createInterface({ input: file.pipe(unzipped) })) {
    const [id = '', app = '', , ...counts] = line.split(',');
    if (id === 'HashFunction') continue;
    const perMinute = counts.map(Number);
    if (perMinute.length !== MINUTES || perMinute.some((count) => !(count >= 0)))
      throw new Error(`The function ${id.slice(0, 12)} has no ${MINUTES} counts; the file is not the invocations of one day.`);
    const one = { id, app, perMinute };
    if (isUsable(one)) found.push(one);
  }
  return found;
}
