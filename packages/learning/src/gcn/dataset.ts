import { createHash } from 'node:crypto';
import type { Problem } from '@autoflow/optimizer';
import { uniform } from '@autoflow/twin';
import { labelled, type LabelledGroup } from './labels.js';
import { publishedProblem, type PublishedWorkflow } from './published-families.js';
import { chainShape, familyOf, randomDagShape, randomProblem, type Shape } from './random-problems.js';

export type Split = 'train' | 'validate' | 'test';

export interface DatasetSize {
  readonly pipelines: number;
  readonly plans: number;
}
/** With how often all of it is gone through. */
export const SIZES: { readonly [size in 'quick' | 'full']: DatasetSize & { readonly epochs: number } } = {
  quick: { pipelines: 700, plans: 40, epochs: 15 },
  full: { pipelines: 2400, plans: 40, epochs: 30 },
};

/**
 * Which pipelines are learned from: by family, never by row. Chains of 5 and 6 functions are only judged on, those of 8 only calibrated on; of
 * the shapes of DAGs, and of published workflows, a fifth each.
 */
export function splitOf(family: string): Split {
  if (family.startsWith('chain-'))
    return family === 'chain-5' || family === 'chain-6' ? 'test' : family === 'chain-8' ? 'validate' : 'train';
  const bucket = createHash('sha256').update(family).digest()[0]! % 5;
  return bucket === 0 ? 'test' : bucket === 1 ? 'validate' : 'train';
}

const CHAINS = [3, 4, 7];
const CALIBRATED = 0.15;

const PUBLISHED = 0.25;

/** A pipeline of a split: half chains, half DAGs, and a quarter of all from published workflows, where there are any. */
export function drawProblem(
  split: Split,
  seed: number,
  published: readonly PublishedWorkflow[] = [],
): { readonly problem: Problem; readonly family: string } {
  const random = uniform(seed);
  const own = published.filter(({ family }) => splitOf(family) === split);
  if (own.length > 0 && random() < PUBLISHED) {
    const workflow = own[Math.floor(random() * own.length)]!;
    return { problem: publishedProblem(workflow, seed).problem, family: workflow.family };
  }
  const shape = drawShape(split, random);
  return { problem: randomProblem(shape, seed), family: familyOf(shape) };
}

function drawShape(split: Split, random: () => number): Shape {
  if (random() < 0.5) {
    const lengths = split === 'train' ? CHAINS : split === 'validate' ? [8] : [5, 6];
    return chainShape(lengths[Math.floor(random() * lengths.length)]!);
  }
  return drawDag(split, 4 + Math.floor(random() * 4), random);
}

/** A shape with a join. Of few functions there are few shapes, and none of them may be in the split: then it has one function more. */
export function drawDag(split: Split, functions: number, random: () => number): Shape {
  for (let tries = 0; tries < ENOUGH; tries++) {
    const shape = randomDagShape(functions, random);
    if (shape.some((inputs) => inputs.length > 1) && splitOf(familyOf(shape)) === split) return shape;
  }
  return drawDag(split, functions + 1, random);
}
const ENOUGH = 200;

/** The pipeline of that number, labelled: of the split that its number says. Deterministic by seed and number. */
export function group(
  number: number,
  { pipelines, plans }: DatasetSize,
  seed: number,
  published: readonly PublishedWorkflow[] = [],
): { readonly split: Split; readonly group: LabelledGroup } {
  const split = number < pipelines * (1 - CALIBRATED) ? 'train' : 'validate';
  const { problem, family } = drawProblem(split, seed * 1_000_003 + number, published);
  return { split, group: labelled(problem, family, plans) };
}

/** SHA-256 of all that the training goes by: every plan as the network sees it, its labels, its weight, its load, and whether it is learned from or calibrated on. */
export function hashOf(train: readonly LabelledGroup[], validate: readonly LabelledGroup[]): string {
  const hash = createHash('sha256');
  for (const [split, groups] of Object.entries({ train, validate }))
    for (const { family, load, plans } of groups) {
      hash.update(JSON.stringify([split, family, load, plans.length]));
      for (const { features, labels, weight } of plans) {
        hash.update(JSON.stringify([features.stages, features.dependencies, weight]));
        hash.update(features.nodes).update(features.global).update(features.analytic).update(labels);
      }
    }
  return hash.digest('hex');
}
