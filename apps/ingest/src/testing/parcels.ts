import { z } from 'zod';
import { defineFilter, defineFunction, definePipeline, defineResource, sensitive, specOf } from '@autoflow/pipeline';

const depot = defineResource({ name: 'depot', secrets: ['DEPOT_URL'], limit: { concurrency: 6 }, open: () => ({}) });

const weigh = defineFunction('weigh', {
  effect: 'pure',
  reads: z.object({ grams: z.int() }),
  writes: z.object({ kilos: z.number() }),
  handle: ({ grams }) => ({ kilos: grams / 1000 }),
});
const findDepot = defineFunction('find-depot', {
  effect: 'read',
  uses: { depot },
  reads: z.object({ town: z.string() }),
  writes: z.object({ depotId: z.int() }),
  handle: () => ({ depotId: 1 }),
});
const isHeavy = defineFilter('is-heavy', { reads: z.object({ kilos: z.number() }), keep: ({ kilos }) => (kilos > 1 ? true : 'a letter') });
const book = defineFunction('book', {
  effect: 'idempotent-write',
  uses: { depot },
  reads: z.object({ depotId: z.int(), kilos: z.number() }),
  writes: z.object({ booked: z.boolean() }),
  handle: () => ({ booked: true }),
});

/** As a hurried author writes it: the filter comes late. */
const parcels = definePipeline(
  'parcels',
  {
    input: z.object({ id: z.string(), grams: z.int(), town: sensitive(z.string()) }),
    key: 'id',
    output: z.object({ id: z.string(), booked: z.boolean(), town: z.string() }),
  },
  (parcel) => book(isHeavy(findDepot(weigh(parcel)))),
);

export const parcelsSpec = specOf(parcels);
export const RELEASE = 'a'.repeat(64);
