import { dependencies } from '@autoflow/pipeline';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { arbitraryPipelineSpec, dependencyOracle } from './index.js';

it('finds the dependencies that the pipeline package finds', () => {
  const sorted = (found: readonly object[]): string[] =>
    found.map((dependency) => JSON.stringify(Object.entries(dependency).sort())).sort();
  fc.assert(
    fc.property(arbitraryPipelineSpec({ maxNodes: 20 }), (spec) => {
      expect(sorted(dependencyOracle(spec))).toEqual(sorted(dependencies(spec)));
    }),
    { numRuns: 300 },
  );
});
