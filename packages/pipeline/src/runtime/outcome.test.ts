import { expect, test } from 'vitest';
import { state } from '../testing/single-function.js';
import { outcomeOf } from './index.js';

test('outcomes', () => {
  const spec = { output: ['id', 'm'] };
  expect(outcomeOf(spec, state(0, { m: 1 }))).toEqual({ state: 'completed', key: 'k0', output: { id: 'k0', m: 1 } });
  const dying = { ...state(0), death: { in: 'f', code: 'X', message: 'x' } };
  expect(outcomeOf(spec, dying)).toEqual({ state: 'dead', key: 'k0', in: 'f', code: 'X', message: 'x' });
  expect(outcomeOf(spec, { ...dying, filtered: { by: 'keep', reason: 'no' } })).toEqual({
    state: 'filtered',
    key: 'k0',
    by: 'keep',
    reason: 'no',
  });
});
