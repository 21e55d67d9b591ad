import { DEFAULT_BATCH_BYTES, stageName, type Allocation, type Topology } from '@autoflow/topology';
import { uniform } from '@autoflow/twin';

/** A wiring of the example, and its cell. */
export interface TwinPlan {
  readonly shape: keyof typeof SHAPES;
  readonly batch: number;
  readonly memoryMb: number;
  readonly concurrency: number;
}

/** Stages by their functions, each with the indexes of those that it waits for. */
const SHAPES = {
  'as written': [
    [['parse-invoice'], []],
    [['look-up-rate'], [0]],
    [['look-up-customer'], [1]],
    [['score-fraud'], [2]],
    [['split-lines'], [3]],
    [['revenue-by-category'], [4]],
    [['is-sale'], [5]],
    [['store-order'], [6]],
  ],
  'filter early': [
    [['parse-invoice', 'split-lines', 'revenue-by-category', 'is-sale'], []],
    [['look-up-rate'], [0]],
    [['look-up-customer'], [1]],
    [['score-fraud'], [2]],
    [['store-order'], [3]],
  ],
  branches: [
    [['parse-invoice', 'split-lines', 'revenue-by-category', 'is-sale'], []],
    [['look-up-rate', 'look-up-customer'], [0]],
    [['score-fraud'], [0]],
    [['store-order'], [1, 2]],
  ],
  'two stages': [
    [['parse-invoice', 'split-lines', 'revenue-by-category', 'is-sale'], []],
    [['score-fraud', 'look-up-rate', 'look-up-customer', 'store-order'], [0]],
  ],
  'one stage': [
    [
      ['parse-invoice', 'split-lines', 'revenue-by-category', 'is-sale', 'score-fraud', 'look-up-rate', 'look-up-customer', 'store-order'],
      [],
    ],
  ],
} as const satisfies { readonly [name: string]: readonly (readonly [readonly string[], readonly number[]])[] };

/** What the twin is fitted to: few versions, as a pipeline has had them. */
export const TRAINING: readonly TwinPlan[] = [
  { shape: 'as written', batch: 1, memoryMb: 1024, concurrency: 4 },
  { shape: 'as written', batch: 8, memoryMb: 1024, concurrency: 4 },
  { shape: 'branches', batch: 40, memoryMb: 1024, concurrency: 2 },
];
const BATCHES = [1, 4, 16, 64];
const MEMORY_MB = [512, 1024, 2048];
const CONCURRENCY = [1, 2, 4];

/** So many different cells, none of them trained on; the shapes in turn. The same for ever. */
export function heldOut(count: number): TwinPlan[] {
  const random = uniform(11);
  const one = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!;
  const shapes = Object.keys(SHAPES) as TwinPlan['shape'][];
  const known = new Set(TRAINING.map(nameOf));
  const plans: TwinPlan[] = [];
  while (plans.length < count) {
    const shape = shapes[plans.length % shapes.length]!;
    const plan = { shape, batch: one(BATCHES), memoryMb: one(MEMORY_MB), concurrency: one(CONCURRENCY) };
    if (known.has(nameOf(plan))) continue;
    known.add(nameOf(plan));
    plans.push(plan);
  }
  return plans;
}

export function nameOf({ shape, batch, memoryMb, concurrency }: TwinPlan): string {
  return `${shape}, batches of ${batch}, ${memoryMb} MB × ${concurrency}`;
}

/** No batch waits for another record longer than this. */
export const LINGER_MS = 200;

export function topologyOf({ shape, batch }: TwinPlan): Topology {
  const stages = SHAPES[shape].map(([nodes, after]) => ({ name: stageName(nodes), nodes, after }));
  return {
    stages: stages.map(({ after, ...stage }) => ({ ...stage, after: after.map((i) => stages[i]!.name), partitions: 1 })),
    batch: { records: batch, bytes: DEFAULT_BATCH_BYTES },
    lingerMs: batch > 1 ? LINGER_MS : 0,
  };
}

export function allocationOf(plan: TwinPlan): Allocation {
  const { memoryMb, concurrency } = plan;
  return Object.fromEntries(topologyOf(plan).stages.map(({ name }) => [name, { memoryMb, concurrency }]));
}

/** Executions that are open at once where as much is done as can be: more wait in Temporal only. */
export const OPEN = 16;
