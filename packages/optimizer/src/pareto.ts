import type { Evaluation } from './evaluator.js';
import { keyOf } from './evaluator.js';

/** Those that no other beats or equals in cost, p95 and throughput together, by cost; of equal ones the first. */
export function paretoFront(evaluations: readonly Evaluation[]): Evaluation[] {
  const distinct = [...new Map(evaluations.map((one) => [keyOf(one.plan), one])).values()];
  const sorted = distinct.sort((a, b) => a.figures.costPer1000 - b.figures.costPer1000 || a.figures.p95Ms - b.figures.p95Ms);
  const front: Evaluation[] = [];
  for (const one of sorted) if (!front.some((other) => asGood(other, one))) front.push(one);
  return front;
}

/** Throughput below saturation is that of the arrivals, but for chance: less than a per cent is no difference. */
const CHANCE = 0.01;

function asGood({ figures: a }: Evaluation, { figures: b }: Evaluation): boolean {
  return a.costPer1000 <= b.costPer1000 && a.p95Ms <= b.p95Ms && a.throughput >= (1 - CHANCE) * b.throughput;
}
