import { afterEach, expect, it, vi } from 'vitest';
import { apiOutcomes } from './api-outcomes.js';

afterEach(() => void vi.unstubAllGlobals());

it.each([
  ['is claimed as soon as nobody is seen to run', 'waiting', 'running'],
  ['goes back into the inbox as soon as nobody is seen to wait', 'running', 'waiting'],
])('does not take a run for over while its last record %s', async (_, first, then) => {
  let state = first;
  vi.stubGlobal('fetch', async (url: URL) => {
    const asked = url.searchParams.get('state');
    // Two who ask at once are answered in another order than they asked.
    if (asked === 'waiting') await Promise.resolve();
    const items = asked === state ? [{ key: 'last', state }] : [];
    if (asked === then && items.length === 0) state = then;
    return Response.json({ items });
  });
  const outcomes = apiOutcomes({ url: 'http://localhost', pipeline: 'parcels', scope: 'load' });
  expect(await outcomes.areAll()).toBe(false);
});
