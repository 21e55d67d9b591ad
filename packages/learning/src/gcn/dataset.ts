import { createHash } from 'node:crypto';
import { uniform } from '@autoflow/twin';
import { labelled, type LabelledGroup } from './labels.js';
import { chainShape, familyOf, randomDagShape, randomProblem, type Shape } from './random-problems.js';

export type Split = 'train' | 'validate' | 'test';

export interface DatasetSize {
  readonly pipelines: number;
  readonly plans: number;
}
export const SIZES: { readonly quick: DatasetSize; readonly full: DatasetSize } = {
  quick: { pipelines: 240, plans: 40 },
  full: { pipelines: 800, plans: 40 },
};

/**
 * Which pipelines are learned from: by family, never by row. Chains of 5 and 6 functions are only judged on, those of 8 only calibrated on; of
 * DAGs a fifth of the shapes each.
 */
export function splitOf(shape: Shape): Split {
  const family = familyOf(shape);
  if (family.startsWith('chain-'))
    return family === 'chain-5' || family === 'chain-6' ? 'test' : family === 'chain-8' ? 'validate' : 'train';
  const bucket = createHash('sha256').update(family).digest()[0]! % 5;
  return bucket === 0 ? 'test' : bucket === 1 ? 'validate' : 'train';
}

const CHAINS = [3, 4, 7];
const CALIBRATED = 0.15;

/** One shape of a split, half of them chains. */
export function drawShape(split: Split, random: () => number): Shape {
  if (random() < 0.5) {
    const lengths = split === 'train' ? CHAINS : split === 'validate' ? [8] : [5, 6];
    return chainShape(lengths[Math.floor(random() * lengths.length)]!);
  }
  return drawDag(split, 4 + Math.floor(random() * 4), random);
}

export function drawDag(split: Split, functions: number, random: () => number): Shape {
  for (;;) {
    const shape = randomDagShape(functions, random);
    if (shape.some((inputs) => inputs.length > 1) && splitOf(shape) === split) return shape;
  }
}

/** The pipeline of that number, labelled: of the split that its number says. Deterministic by seed and number. */
export function group(
  number: number,
  { pipelines, plans }: DatasetSize,
  seed: number,
): { readonly split: Split; readonly group: LabelledGroup } {
  const split = number < pipelines * (1 - CALIBRATED) ? 'train' : 'validate';
  const own = seed * 1_000_003 + number;
  const shape = drawShape(split, uniform(own));
  return { split, group: labelled(randomProblem(shape, own), familyOf(shape), plans) };
}

/** SHA-256 of what is learned from. */
export function hashOf(groups: readonly LabelledGroup[]): string {
  const hash = createHash('sha256');
  for (const { family, plans } of groups) {
    hash.update(family);
    for (const { features, labels, weight } of plans) {
      hash.update(Buffer.from(features.nodes.buffer)).update(Buffer.from(features.global.buffer));
      hash.update(Buffer.from(labels.buffer)).update(String(weight));
    }
  }
  return hash.digest('hex');
}
