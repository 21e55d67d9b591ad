import type { ControlledStage, ControlState } from '@autoflow/twin';
import type { Allocator } from './allocator.js';

/** At most one size up or down in so many decisions, which is also how long is looked before one. */
export const NOTCH_EVERY = 20;
/** Used share of the limit beyond which there is too little left for peaks. */
const FULL = 0.85;
/** Of the next smaller size: what was used must have fitted with so much to spare. */
const SPARE = 0.6;

interface Watched {
  memoryMb: number;
  /** Since the size was last changed. */
  steps: number;
  workingSetMb: number;
  outOfMemory: number;
}

/**
 * An allocator whose stages get the memory that they are seen to use: one size more where instances died for want of it or came near, one
 * less where the next smaller one would have had plenty of room all along.
 */
export function followingMemory(allocator: Allocator): Allocator {
  return {
    name: allocator.name,
    start(pipeline) {
      const inner = allocator.start(pipeline);
      const watched = pipeline.stages.map((): Watched => ({ memoryMb: 0, steps: 0, workingSetMb: 0, outOfMemory: 0 }));
      const why = pipeline.stages.map(() => '');
      return {
        ...inner,
        decide: (state) => {
          const targets = inner.decide(state);
          return targets.map((target, s) => {
            watch(watched[s]!, s, state);
            const memoryMb = sizeFor(watched[s]!, pipeline.stages[s]!);
            why[s] = memoryMb === watched[s]!.memoryMb ? '' : `; memory to ${memoryMb} MB: ${reason(watched[s]!)}`;
            return { ...target, memoryMb };
          });
        },
        explain: (s) => `${inner.explain(s)}${why[s] ?? ''}`,
      };
    },
  };
}

function watch(seen: Watched, s: number, { memoryMb, tick }: ControlState): void {
  if (seen.memoryMb !== memoryMb[s]) Object.assign(seen, { memoryMb: memoryMb[s], steps: 0, workingSetMb: 0, outOfMemory: 0 });
  seen.steps++;
  seen.workingSetMb = Math.max(seen.workingSetMb, tick?.stages[s]?.workingSetMb ?? 0);
  seen.outOfMemory += tick?.stages[s]?.outOfMemory ?? 0;
}

function sizeFor({ memoryMb, steps, workingSetMb, outOfMemory }: Watched, { memoryMb: sizes }: ControlledStage): number {
  if (steps < NOTCH_EVERY || workingSetMb + outOfMemory === 0) return memoryMb;
  if (outOfMemory > 0 || workingSetMb > FULL * memoryMb) return sizes.find((size) => size > memoryMb) ?? memoryMb;
  const smaller = sizes.findLast((size) => size < memoryMb);
  return smaller !== undefined && workingSetMb < SPARE * smaller ? smaller : memoryMb;
}

const reason = ({ outOfMemory, workingSetMb }: Watched): string =>
  outOfMemory > 0 ? `${outOfMemory} instances ran out of it` : `at most ${Math.round(workingSetMb)} MB are used`;
