import { expect, it } from 'vitest';
import { shadowRefusal, type ShadowReport } from './replay.js';

const report = (of: Partial<ShadowReport>): ShadowReport => ({
  ...{ compared: 0, different: 0, notComparable: 0, unanswered: [], differences: [] },
  ...of,
});
const differences = ['a', 'b', 'c', 'd'].map((key) => ({ key, function: 'price', what: 'answers another value' }));

it.each<[string, Partial<ShadowReport>, RegExp | undefined]>([
  ['all are equal', { compared: 500 }, undefined],
  ['half of them can be compared', { compared: 250, notComparable: 250 }, undefined],
  [
    'one of many is different',
    { compared: 500, different: 1, differences: differences.slice(0, 1) },
    /^in shadow 1 of 500 .*: a in price answers another value$/,
  ],
  ['many are', { compared: 9, different: 4, differences }, /: a in price .*; b in price .*; c in price [^;]*$/],
  ['few can be compared', { compared: 1, notComparable: 499 }, /^only 1 of 500 recorded records could be compared/],
  ['none can be', { notComparable: 7 }, /^only 0 of 7 /],
  ['nothing was recorded', {}, /^nothing was recorded/],
])('a shadow in which %s', (_, found, why) => {
  const refusal = shadowRefusal(report(found));
  expect(refusal).toEqual(why === undefined ? undefined : expect.stringMatching(why));
});
