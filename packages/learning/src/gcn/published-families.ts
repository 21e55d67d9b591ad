import type { Problem } from '@autoflow/optimizer';
import { functionModel, uniform, type FunctionModel } from '@autoflow/twin';
import { gunzipSync } from 'node:zlib';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { between, problemFrom, randomDagShape, type Shape } from './random-problems.js';

/**
 * A workflow that somebody else has run and published: what its parts cost in relation to each other, and how they hang together. Seconds and
 * bytes as published.
 */
export interface PublishedWorkflow {
  readonly family: string;
  /** Absent: published without its edges. */
  readonly shape?: Shape;
  readonly tasks: readonly PublishedTask[];
}
interface PublishedTask {
  readonly seconds: number;
  /** Of these, on the processor. */
  readonly cpuShare: number;
  readonly memoryBytes?: number;
  readonly writtenBytes?: number;
}

/** More functions than that no pipeline is cut to. */
export const MOST_FUNCTIONS = 18;

/**
 * The workflows of WfInstances (WfFormat 1.5) and the profiles of Jolteon (OSDI 2024) in a data folder, by name. Throws where the folder has
 * neither.
 */
export async function readPublished(folder: string): Promise<PublishedWorkflow[]> {
  const found: PublishedWorkflow[] = [];
  for (const [kind, ending, parse] of [
    ['wfinstances', '.json.gz', (name: string, data: Buffer) => wfInstance(name, JSON.parse(gunzipSync(data).toString()) as WfFormat)],
    ['jolteon', '_profile.json', (name: string, data: Buffer) => jolteonProfile(name, JSON.parse(data.toString()) as JolteonProfile)],
  ] as const) {
    const files = (await readdir(join(folder, kind))).filter((file) => file.endsWith(ending)).sort();
    for (const file of files) found.push(parse(`${kind}-${file.slice(0, -ending.length)}`, await readFile(join(folder, kind, file))));
  }
  return found;
}

/**
 * A pipeline cut out of it, of at most 18 functions, deterministic by seed: parts keep what they cost in relation to each other, while the whole
 * is scaled to what a record costs in a data pipeline.
 */
export function publishedProblem({ shape, tasks }: PublishedWorkflow, seed: number): { readonly problem: Problem; readonly shape: Shape } {
  const random = uniform(seed);
  const most = Math.min(MOST_FUNCTIONS, tasks.length);
  const functions = Math.round(between(random, Math.min(4, most), most));
  const cut = shape === undefined ? undeclared(tasks.length, functions, random) : cutOut(shape, functions, random);
  const models = scaled(
    cut.tasks.map((task) => tasks[task]!),
    random,
  );
  return { problem: problemFrom(cut.shape, models, random, seed), shape: cut.shape };
}

interface Cut {
  readonly shape: Shape;
  /** The task of each function. */
  readonly tasks: readonly number[];
}

/** Grows from one task along the edges; the last function gathers what nothing else takes, as a pipeline has one result. */
function cutOut(shape: Shape, functions: number, random: () => number): Cut {
  const chosen = new Set<number>([Math.floor(random() * shape.length)]);
  while (chosen.size < functions) {
    const fringe = shape.flatMap((inputs, task) =>
      inputs.flatMap((input) => (chosen.has(task) === chosen.has(input) ? [] : [chosen.has(task) ? input : task])),
    );
    chosen.add(fringe.length > 0 ? fringe[Math.floor(random() * fringe.length)]! : Math.floor(random() * shape.length));
  }
  const tasks = [...chosen].sort((a, b) => a - b);
  const own = tasks.map((task) => shape[task]!.flatMap((input) => (chosen.has(input) ? [tasks.indexOf(input)] : [])));
  const last = own.length - 1;
  const taken = new Set(own.flat());
  const loose = own.flatMap((_, i) => (i === last || taken.has(i) ? [] : [i]));
  // All begin with the record: one source, as every pipeline has.
  return { tasks, shape: own.map((inputs, i) => (i === 0 ? [] : i === last ? union(inputs, loose) : inputs.length > 0 ? inputs : [0])) };
}

function undeclared(tasks: number, functions: number, random: () => number): Cut {
  const first = Math.floor(random() * (tasks - functions + 1));
  return { shape: randomDagShape(functions, random), tasks: Array.from({ length: functions }, (_, i) => first + i) };
}

const union = (a: readonly number[], b: readonly number[]): number[] => [...new Set([...a, ...b])].sort((x, y) => x - y);

/** Milliseconds of a record in all, megabytes of the largest part, bytes of the largest output. */
const WORK_MS = [8, 90] as const;
const MEMORY_MB = [40, 350] as const;
const BYTES = [200, 5000] as const;

function scaled(tasks: readonly PublishedTask[], random: () => number): FunctionModel[] {
  const perSecond = between(random, ...WORK_MS) / total(tasks.map(({ seconds }) => seconds));
  const perByteOfMemory = between(random, ...MEMORY_MB) / Math.max(1, ...tasks.map(({ memoryBytes }) => memoryBytes ?? 0));
  const perByte = between(random, ...BYTES) / Math.max(1, ...tasks.map(({ writtenBytes }) => writtenBytes ?? 0));
  return tasks.map(({ seconds, cpuShare, memoryBytes, writtenBytes }) => {
    const ms = Math.max(0.2, seconds * perSecond);
    // How much of it a batch spares is not published.
    const [cpuFixed, ioFixed] = [0.1 + 0.5 * random(), 0.3 + 0.6 * random()];
    const io = ms * (1 - cpuShare);
    return functionModel({
      cpuFixedMs: 0.3 + ms * cpuShare * cpuFixed,
      cpuPerRecordMs: 0.1 + ms * cpuShare * (1 - cpuFixed),
      ioFixedMs: io * ioFixed,
      ioPerRecordMs: io * (1 - ioFixed),
      memoryMb: memoryBytes === undefined ? between(random, 5, 350) : Math.max(2, memoryBytes * perByteOfMemory),
      memoryPerRecordMb: between(random, 0.02, 0.6),
      cv: 0.15 + 0.5 * random(),
      cvPerRecord: 0.3 * random(),
      bytes: writtenBytes === undefined ? between(random, 20, 5000) : Math.max(20, writtenBytes * perByte),
    });
  });
}

/** Zero where the clock was too coarse: they share a little. */
const total = (seconds: readonly number[]): number =>
  Math.max(
    1e-3 * seconds.length,
    seconds.reduce((sum, s) => sum + s, 0),
  );

interface WfFormat {
  readonly workflow: {
    readonly specification: { readonly tasks: readonly { readonly id: string; readonly parents: readonly string[] }[] };
    readonly execution: {
      readonly tasks: readonly {
        readonly id: string;
        readonly runtimeInSeconds?: number;
        /** Per cent of one core; several cores count as one here. */
        readonly avgCPU?: number;
        readonly memoryInBytes?: number;
        readonly writtenBytes?: number;
      }[];
    };
  };
}

function wfInstance(family: string, { workflow: { specification, execution } }: WfFormat): PublishedWorkflow {
  const order = inOrder(specification.tasks);
  const at = new Map(order.map(({ id }, i) => [id, i]));
  const ran = new Map(execution.tasks.map((task) => [task.id, task]));
  return {
    family,
    shape: order.map(({ parents }) => parents.map((parent) => at.get(parent)!).sort((a, b) => a - b)),
    tasks: order.map(({ id }) => {
      const { runtimeInSeconds, avgCPU, memoryInBytes, writtenBytes } = ran.get(id) ?? {};
      return {
        seconds: runtimeInSeconds ?? 0,
        cpuShare: Math.min(1, Math.max(0.05, (avgCPU ?? 100) / 100)),
        ...(memoryInBytes !== undefined && { memoryBytes: memoryInBytes }),
        ...(writtenBytes !== undefined && { writtenBytes }),
      };
    }),
  };
}

/** Each task after its parents. */
function inOrder<Task extends { readonly id: string; readonly parents: readonly string[] }>(tasks: readonly Task[]): Task[] {
  const placed = new Map<string, Task>();
  while (placed.size < tasks.length) {
    const ready = tasks.filter(({ id, parents }) => !placed.has(id) && parents.every((parent) => placed.has(parent)));
    if (ready.length === 0) throw new Error('The tasks of the workflow go round in a circle, or name a parent that is not there.');
    for (const task of ready) placed.set(task.id, task);
  }
  return [...placed.values()];
}

/** Seconds by run and configuration, each [mean, p95]. */
type Grid = readonly (readonly (readonly [number, number])[])[];
type JolteonProfile = { readonly [stage: string]: { readonly read: Grid; readonly compute: Grid; readonly write: Grid } };

/** Its edges are not published with it. */
function jolteonProfile(family: string, stages: JolteonProfile): PublishedWorkflow {
  return {
    family,
    tasks: Object.values(stages).map(({ read, compute, write }) => {
      const [cpu, io] = [medianOf(compute), medianOf(read) + medianOf(write)];
      return { seconds: cpu + io, cpuShare: Math.min(1, Math.max(0.05, cpu / (cpu + io || 1))) };
    }),
  };
}

function medianOf(grid: Grid): number {
  const means = grid.flatMap((run) => run.map(([mean]) => mean)).sort((a, b) => a - b);
  return means[Math.floor(means.length / 2)] ?? 0;
}
