import type { Outcome } from '../record-state.js';
import { canonical } from './canonical.js';
import type { BatchSize } from './test-pipeline.js';

/** Throws, showing the first record that differs, unless all runs ended the same. */
export function assertSameOutcomes(
  pipeline: string,
  [first, ...others]: readonly { readonly size: BatchSize; readonly outcomes: readonly Outcome[] }[],
): void {
  for (const { size, outcomes } of others)
    outcomes.forEach((outcome, i) => {
      const expected = first?.outcomes[i];
      if (!expected || canonical(expected) === canonical(outcome)) return;
      throw new Error(
        `pipeline '${pipeline}': the batch size changes the outcome of record ${i} (key '${outcome.key}'): ${canonical(expected)} at batch size ${first.size}, ${canonical(outcome)} at ${size}. ` +
          'No meaning may come from the batch: let a handleBatch answer each record from that record alone, and give stateful fakes as a function that makes fresh ones.',
      );
    });
}
