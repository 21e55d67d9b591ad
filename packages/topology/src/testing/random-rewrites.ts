import type { PipelineSpec } from '@autoflow/pipeline';
import fc from 'fast-check';
import { asWritten } from '../as-written.js';
import { applyStep, rewrites, type Step } from '../rewrites/all.js';
import type { Limits } from '../rewrites/rewrite.js';
import type { Topology } from '../topology.js';

/** Numbers that choose first the kind of rewrite, then the place. */
export type Choices = readonly (readonly [number, number])[];

const place = fc.nat(9_999);
const anything = fc.array(fc.tuple(fc.nat(9_999), place), { minLength: 1, maxLength: 15 });
const drops = fc.array(fc.tuple(fc.constant(rewrites.findIndex(({ name }) => name === 'drop-dead-fields')), place), { maxLength: 8 });

/** Of steps of any kind, and of drops last of all: most other steps undo what stages drop. */
export const arbitraryChoices: fc.Arbitrary<Choices> = fc.tuple(anything, drops).map(([first, last]) => [...first, ...last]);

/** Topologies on the way from the one as written, and the steps between them. */
export interface Rewritten {
  readonly from: Topology;
  readonly to: Topology;
  readonly steps: readonly Step[];
}

export function rewriteAtRandom(spec: PipelineSpec, choices: Choices, limits: Limits = {}): Rewritten {
  const from = asWritten(spec);
  const steps: Step[] = [];
  let to = from;
  for (const [kind, place] of choices) {
    const step = chosen(spec, to, kind, place, limits);
    if (!step) continue;
    steps.push(step);
    to = applyStep(to, step);
  }
  return { from, to, steps };
}

/** The kinds in a circle, beginning with the one chosen, until one has a candidate. */
function chosen(spec: PipelineSpec, topology: Topology, kind: number, place: number, limits: Limits): Step | undefined {
  for (let i = 0; i < rewrites.length; i++) {
    const found = rewrites[(kind + i) % rewrites.length]?.candidates(spec, topology, limits) ?? [];
    if (found.length > 0) return found[place % found.length];
  }
  return undefined;
}
