import { expect, it } from 'vitest';
import { shadowVerdict, type ShadowReport } from './replay.js';

const report = (of: Partial<ShadowReport>): ShadowReport => ({
  ...{ compared: 0, different: 0, notComparable: 0, unanswered: [], differences: [] },
  ...of,
});
const differences = ['a', 'b', 'c', 'd'].map((key) => ({ key, function: 'price', what: 'answers another value' }));

it.each<[string, Partial<ShadowReport>, ReturnType<typeof shadowVerdict>['decision'], RegExp, number?]>([
  ['all are equal', { compared: 500 }, 'advance', /^500 records/],
  ['half of them can be compared', { compared: 250, notComparable: 250 }, 'advance', /^250 records/],
  [
    'one of many is different',
    { compared: 500, different: 1, differences: differences.slice(0, 1) },
    'roll-back',
    /^in shadow 1 of 500 .*: a in price answers another value$/,
  ],
  ['many are', { compared: 9, different: 4, differences }, 'roll-back', /: a in price .*; b in price .*; c in price [^;]*$/],
  ['less than half can be compared', { compared: 249, notComparable: 251 }, 'abort', /only 249 of 500 recorded records could be compared/],
  ['none can be', { notComparable: 7 }, 'abort', /only 0 of 7 /],
  ['nothing was recorded', {}, 'abort', /^not comparable in shadow yet: nothing was recorded; it takes 20,/],
  ['hardly anything was recorded', { compared: 19 }, 'abort', /only 19 of 19 /],
  ['enough was recorded', { compared: 20 }, 'advance', /^20 records/],
  ['few were asked for, and half of them recorded', { compared: 5 }, 'advance', /^5 records/, 10],
  ['few were asked for, and fewer recorded', { compared: 4 }, 'abort', /it takes 5,/, 10],
])('a shadow in which %s', (_, found, decision, reason, sample = 500) => {
  expect(shadowVerdict(report(found), sample)).toEqual({ decision, reason: expect.stringMatching(reason) });
});
