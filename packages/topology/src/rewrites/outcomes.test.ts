import fc from 'fast-check';
import { expect, it } from 'vitest';
import { arbitraryExecutable, checkSequence, type Executable } from '../testing/index.js';
import { rewrites } from './index.js';

const place = fc.nat(9_999);
const steps = fc.array(fc.tuple(fc.nat(9_999), place), { minLength: 1, maxLength: 15 });
/** Last of all: most other steps undo what stages drop. */
const drops = fc.array(fc.tuple(fc.constant(rewrites.findIndex(({ name }) => name === 'drop-dead-fields')), place), { maxLength: 8 });
const choices = fc.tuple(steps, drops).map(([first, last]) => [...first, ...last]);

it(
  'random legal sequences give every record the outcome and the rows that it has as written, at several batch sizes',
  { timeout: 120_000 },
  async () => {
    const seen = { completed: 0, filtered: 0, dead: 0, cancelled: 0 };
    let [dropping, remembering] = [0, 0];
    await fc.assert(
      fc.asyncProperty(arbitraryExecutable(), choices, async (executable, picks) => {
        const { problems, differences, states, to } = await checkSequence(executable, picks, { batchSizes: [1, 3, 'all'] });
        expect({ problems, differences }).toEqual({ problems: [], differences: [] });
        for (const state of Object.keys(seen) as (keyof typeof seen)[]) seen[state] += states[state];
        if (to.stages.some(({ drops }) => drops?.fields.some((field) => !executable.spec.input.includes(field)))) dropping++;
        if (servesSeveral(executable, states.completed)) remembering++;
      }),
      { numRuns: 150 },
    );
    // The property says something only if records end in every way, written fields are dropped, and answers are remembered across records.
    expect(Math.min(seen.completed, seen.filtered, seen.dead)).toBeGreaterThan(20);
    expect(Math.min(dropping, remembering)).toBeGreaterThan(3);
  },
);

/** In the last run the code of a function of the record ran for fewer records than it has answered. */
function servesSeveral({ spec, outside: { world } }: Executable, completed: number): boolean {
  return spec.nodes.some(({ id, kind, scope }) => kind === 'function' && scope.length === 0 && (world.runs.get(id) ?? 0) < completed);
}
