import type { ReleaseRow } from './definitions.model.js';
import type { InvocationRow } from './metering.model.js';
import { expect, test } from 'vitest';
import { survivingRows } from './surviving-rows.js';

const releaseOf = (hash: string, functions?: { [node: string]: string }) =>
  ({ hash, ...(functions && { functions }) }) as unknown as ReleaseRow;
const rowOf = (release: string, ...nodes: string[]) => ({ release, spans: nodes.map((node) => ({ node })) }) as unknown as InvocationRow;
const nodesOf = (rows: readonly InvocationRow[]) => rows.map(({ spans }) => spans.map(({ node }) => node));

const releases = [
  releaseOf('before-1', { parse: 'p1', price: 'c1', store: 's1' }),
  releaseOf('now', { parse: 'p1', price: 'c2', store: 's1', notify: 'n1' }),
  releaseOf('by-hand'),
];

test('a function is known by its hash, in whatever release it ran; what was another goes by another name', () => {
  const rows = [rowOf('now', 'parse', 'price'), rowOf('before-1', 'parse', 'price'), rowOf('before-1', 'store')];
  expect(nodesOf(survivingRows(rows, 'now', releases))).toEqual([['parse', 'price'], ['parse', 'price@before-'], ['store']]);
});

test('rows that tell of no function of it are left out: changed ones, releases without hashes, releases that are gone', () => {
  const rows = [rowOf('before-1', 'price'), rowOf('by-hand', 'parse'), rowOf('gone', 'parse'), rowOf('before-1', 'constructor')];
  expect(survivingRows(rows, 'now', releases)).toEqual([]);
});

test('of a release without hashes only its own are known', () => {
  const rows = [rowOf('by-hand', 'parse'), rowOf('now', 'parse')];
  expect(nodesOf(survivingRows(rows, 'by-hand', releases))).toEqual([['parse']]);
});
