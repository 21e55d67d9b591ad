/** Which episodes are trained on, selected on and judged on; seeds of the three lie apart. */
import { readFunctions } from '@autoflow/cli/load';
import { randomScenario, splitFunctions, syntheticFunctions, type ControlScenario, type FunctionSets, type Split } from '@autoflow/twin';

export interface Functions extends FunctionSets {
  readonly about: string;
}
export interface Lengths {
  readonly least: number;
  readonly most: number;
}

export const TRAINED_LENGTHS: Lengths = { least: 4, most: 7 };
const VALIDATION = 1_000;
const VARIED_VALIDATION = 2_000;
const TEST = 5_000;
const VARIED_TEST = 7_000;
const OTHER_LENGTHS = 9_000;
const COMPUTING_VALIDATION = 3_000;
const COMPUTING_TEST = 11_000;

/** The real functions where `AUTOFLOW_DATA` has them, else made-up ones; the report says which. */
export async function functions(): Promise<Functions> {
  const folder = process.env['AUTOFLOW_DATA'];
  const all = folder === undefined ? syntheticFunctions(140, 1) : await readFunctions(folder);
  const sets = splitFunctions(all);
  return {
    ...sets,
    about: `${folder === undefined ? 'synthetic' : 'real'} functions: ${sets.train.length} trained on, ${sets.test.length} held out`,
  };
}

export function scenario(seed: number, sets: FunctionSets, split: Split, stages: Lengths, varied = false): ControlScenario {
  return randomScenario(seed, { functions: split === 'test' ? sets.test : sets.train, split, stages, varied });
}

/** Half of the episodes at the usual service level and interval, half at any. */
export const trainingScenario = (seed: number, sets: FunctionSets, stages: Lengths): ControlScenario =>
  scenario(seed, sets, 'train', stages, seed % 2 === 1);

/** At the usual service level and interval: what rules are tuned on. */
export const validationOf = (sets: FunctionSets, count: number): ControlScenario[] =>
  Array.from({ length: count }, (_, i) => scenario(VALIDATION + i, sets, 'train', TRAINED_LENGTHS));

/** The same and half as many at any service level and interval: what checkpoints are selected on. */
export const selectionOf = (sets: FunctionSets, count: number): ControlScenario[] => [
  ...validationOf(sets, count),
  ...Array.from({ length: Math.ceil(count / 2) }, (_, i) => scenario(VARIED_VALIDATION + i, sets, 'train', TRAINED_LENGTHS, true)),
];

/** Held-out functions in the minutes that were never trained on. */
export const testOf = (sets: FunctionSets, count: number): ControlScenario[] =>
  Array.from({ length: count }, (_, i) => scenario(TEST + i, sets, 'test', TRAINED_LENGTHS));

/** The same at any service level and interval. */
export const variedOf = (sets: FunctionSets, count: number): ControlScenario[] =>
  Array.from({ length: count }, (_, i) => scenario(VARIED_TEST + i, sets, 'test', TRAINED_LENGTHS, true));

/** The same where memory matters: stages compute, and have several sizes. */
export const computingOf = (sets: FunctionSets, count: number): ControlScenario[] =>
  Array.from({ length: count }, (_, i) =>
    randomScenario(COMPUTING_TEST + i, { functions: sets.test, split: 'test', stages: TRAINED_LENGTHS, computing: true }),
  );
export const computingValidationOf = (sets: FunctionSets, count: number): ControlScenario[] =>
  Array.from({ length: count }, (_, i) =>
    randomScenario(COMPUTING_VALIDATION + i, { functions: sets.train, split: 'train', stages: TRAINED_LENGTHS, computing: true }),
  );

/** The same with pipelines shorter and longer than those trained on. */
export const otherLengthsOf = (sets: FunctionSets, count: number): ControlScenario[] =>
  Array.from({ length: count }, (_, i) => scenario(OTHER_LENGTHS + i, sets, 'test', otherLengths(i)));

export const otherLengths = (i: number): Lengths => (i % 2 === 0 ? { least: 2, most: 3 } : { least: 8, most: 9 });
