import { NewRollout } from '@autoflow/client/schemas';
import { NOT_DECIDED } from '@autoflow/topology';
import { expect, test } from 'vitest';
import { isAnswer, settingsAt } from './roll-out.js';

test.each<[Parameters<typeof isAnswer>[0], boolean]>([
  [{ state: 'promoted' }, true],
  [{ state: 'rolled-back', outcome: 'p95 is above' }, true],
  [{ state: 'aborted', outcome: `${NOT_DECIDED}: cost is not lower yet` }, true],
  [{ state: 'aborted', outcome: 'could not be measured: the database is away' }, false],
  [{ state: 'failed' }, false],
  [{ state: 'rolled-back', shadow: { sampled: 9, compared: 9, different: 1, differences: [] } as never }, false],
])('%o is an answer: %s', (row, is) => {
  expect(isAnswer(row)).toBe(is);
});

test.each([2, 3, 7, 60])('at %i invoices in a second it asks for what the API takes', (rate) => {
  for (const short of [false, true])
    expect(NewRollout.parse({ version: 'v2', ...settingsAt(rate, short) })).toMatchObject({ metric: 'cost' });
});
