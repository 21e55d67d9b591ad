import fc from 'fast-check';
import { expect, it } from 'vitest';
import { validateTopology } from '../legality.js';
import { arbitraryExecutable, differences, rewriteAtRandom, runOutcomes } from '../testing/index.js';
import { certify, checkCertificate } from './index.js';

const RECORDS = 10;
const choices = fc.array(fc.tuple(fc.nat(9_999), fc.nat(9_999)), { minLength: 1, maxLength: 12 });

it('random legal sequences give every record the outcome and the rows that it has as written, at several batch sizes', { timeout: 120_000 }, async () => {
  const seen = { completed: 0, filtered: 0, dead: 0, cancelled: 0 };
  await fc.assert(
    fc.asyncProperty(arbitraryExecutable(), choices, async (executable, picks) => {
      const { spec } = executable;
      const { from, to, steps } = rewriteAtRandom(spec, picks);
      expect(validateTopology(spec, to)).toEqual([]);
      expect(checkCertificate(spec, from, to, JSON.parse(JSON.stringify(certify(spec, from, to, steps))))).toEqual([]);

      const written = await runOutcomes(executable, from, RECORDS, 1);
      for (const batch of [1, 3, 'all'] as const) expect(differences(written, await runOutcomes(executable, to, RECORDS, batch))).toEqual([]);
      for (const state of Object.keys(seen) as (keyof typeof seen)[]) seen[state] += written.states[state];
    }),
    { numRuns: 150 },
  );
  // The property says something only if records end in every way.
  expect(Math.min(seen.completed, seen.filtered, seen.dead)).toBeGreaterThan(50);
});
