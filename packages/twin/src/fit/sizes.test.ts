import { expect, it } from 'vitest';
import { areSeveralSizes } from './sizes.js';

const sizes = (counts: { readonly [size: number]: number }): number[] =>
  Object.entries(counts).flatMap(([size, count]) => Array.from({ length: count }, () => Number(size)));

it.each<[boolean, { readonly [size: number]: number }]>([
  [true, { 1: 100, 2: 3 }],
  // One that is larger still takes nothing away.
  [true, { 1: 100, 2: 3, 8: 1 }],
  [true, { 1: 3, 40: 200 }],
  [false, { 1: 100, 2: 2 }],
  [false, { 1: 2, 40: 200 }],
  [false, { 20: 50, 39: 50 }],
  [false, { 1: 100 }],
  [false, { 1: 2 }],
  [false, {}],
])('%s for %j', (told, counts) => {
  expect(areSeveralSizes(sizes(counts), 3)).toBe(told);
});
