import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utilisation } from './utilisation.js';

describe('utilisation', () => {
  it('weights pools by what they had', () => {
    const large = { provisionedS: 90, busyS: 45, provisionedMbS: 90 * 1024, usedMbS: 90 * 256 };
    const small = { provisionedS: 10, busyS: 10, provisionedMbS: 10 * 128, usedMbS: 10 * 128 };
    expect(utilisation([large, small])).toEqual({ memory: (90 * 256 + 1280) / (90 * 1024 + 1280), instances: 0.55 });
  });

  it('is undefined where nothing was provisioned', () => {
    expect(utilisation([])).toEqual({ memory: undefined, instances: undefined });
    expect(utilisation([{ provisionedS: 0, busyS: 0, provisionedMbS: 0, usedMbS: 0 }])).toEqual({
      memory: undefined,
      instances: undefined,
    });
  });

  it('is never above 1', () => {
    const usage = fc.record({ provisionedS: fc.nat(100), busyS: fc.nat(200), provisionedMbS: fc.nat(1000), usedMbS: fc.nat(2000) });
    fc.assert(
      fc.property(fc.array(usage), (pools) => {
        const { memory = 0, instances = 0 } = utilisation(pools);
        expect(Math.max(memory, instances)).toBeLessThanOrEqual(1);
      }),
    );
  });
});
