/** `train-process.js OUT [--quick] [--seed N] [--no-graph] [--work DIR] [--data DIR]`: labels, trains and writes a model; started again, it goes on from its last epoch. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadBackend } from '../backend.js';
import { group, hashOf, SIZES } from './dataset.js';
import type { LabelledGroup } from './labels.js';
import { base64, floats, writeModel } from './model-file.js';
import { WEIGHTS, type Weights } from './network.js';
import { readPublished } from './published-families.js';
import { Training, type Checkpoint } from './training.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    'no-graph': { type: 'boolean', default: false },
    pipelines: { type: 'string' },
    work: { type: 'string' },
    /** Folder with published workflows, for further families. */
    data: { type: 'string' },
  },
});
// The tensors are small: threads that wait for each other would only take a core from the neighbours.
for (const threads of ['TF_NUM_INTRAOP_THREADS', 'TF_NUM_INTEROP_THREADS', 'OMP_NUM_THREADS']) process.env[threads] ??= '1';
const [out] = positionals;
if (out === undefined) throw new Error('Say where the model shall be written.');
const log = (line: string): void => console.error(line);
const seed = Number(values.seed);
const size = { ...SIZES[values.quick ? 'quick' : 'full'], ...(values.pipelines !== undefined && { pipelines: Number(values.pipelines) }) };
const work = values.work ?? `${out}.work`;
const published = values.data ? await readPublished(values.data) : [];
await mkdir(work, { recursive: true });
await mkdir(dirname(out), { recursive: true });

const cpuSeconds = (): number => (process.cpuUsage().user + process.cpuUsage().system) / 1e6;
const groups: Record<'train' | 'validate', LabelledGroup[]> = { train: [], validate: [] };
for (let n = 0; n < size.pipelines; n++) {
  const { split, group: one } = group(n, size, seed, published);
  groups[split as 'train' | 'validate'].push(one);
  if ((n + 1) % 50 === 0) log(`labels of ${n + 1} of ${size.pipelines} pipelines, ${cpuSeconds().toFixed(0)} s of CPU`);
}
const labelling = cpuSeconds();
// By what is learned from, and how often: other labels never go on from weights of these, nor another schedule of rates.
const dataHash = hashOf(groups.train, groups.validate).slice(0, 16);
const checkpointPath = join(work, `${dataHash}-${seed}-${size.epochs}${values['no-graph'] ? '-no-graph' : ''}.json`);
const backend = await loadBackend('native', log);
const training = new Training(backend, groups.train, groups.validate, { seed, graph: !values['no-graph'], epochs: size.epochs });
let checkpoint = (await readCheckpoint()) ?? training.begin();
if (checkpoint.epoch > 0) log(`goes on after epoch ${checkpoint.epoch}`);
while (checkpoint.epoch < size.epochs) {
  const next = training.epoch(checkpoint);
  checkpoint = next.checkpoint;
  await writeCheckpoint(checkpoint);
  log(`epoch ${checkpoint.epoch} of ${size.epochs}: loss ${next.loss.toFixed(4)}, ${cpuSeconds().toFixed(0)} s of CPU`);
}
const model = training.model(checkpoint);
await writeModel(out, model);
console.log(JSON.stringify({ labellingSeconds: labelling, cpuSeconds: cpuSeconds(), dataHash: model.dataHash, ...model.metrics }));

async function writeCheckpoint({ epoch, ...sets }: Checkpoint): Promise<void> {
  const text = (set: Weights): object => Object.fromEntries(Object.entries(set).map(([name, weights]) => [name, base64(weights)]));
  await writeFile(
    `${checkpointPath}.new`,
    JSON.stringify({ epoch, weights: text(sets.weights), first: text(sets.first), second: text(sets.second) }),
  );
  await rename(`${checkpointPath}.new`, checkpointPath);
}

async function readCheckpoint(): Promise<Checkpoint | undefined> {
  const text = await readFile(checkpointPath, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  type Stored = { readonly [name: string]: string };
  const { epoch, weights, first, second } = JSON.parse(text) as { epoch: number; weights: Stored; first: Stored; second: Stored };
  const set = (stored: Stored): Weights => Object.fromEntries(Object.keys(WEIGHTS).map((name) => [name, floats(stored[name]!)]));
  return { epoch, weights: set(weights), first: set(first), second: set(second) };
}
