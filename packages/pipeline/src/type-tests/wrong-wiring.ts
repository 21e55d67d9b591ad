/* eslint-disable @typescript-eslint/no-unused-expressions, @typescript-eslint/no-unused-vars, @typescript-eslint/no-explicit-any -- wirings are only compiled, never used */
/** Each `@ts-expect-error` is a test; `wrong-wiring.test.ts` pins what the compiler says. Never run. */
import { z } from 'zod';
import {
  defineExpand,
  defineFunction,
  definePipeline,
  defineReduce,
  defineResource,
  join,
  type InputOf,
  type OutputOf,
  type Rec,
  type Resource,
} from '../index.js';
import { fake } from '../testing/index.js';
import {
  findCurrency,
  isSale,
  lookUpRate,
  orders,
  type Orders,
  rates,
  type retailOrders,
  revenueByCategory,
  scoreFraud,
  splitLines,
  storeOrder,
} from './retail.js';

type Invoice = InputOf<typeof retailOrders>;
declare const invoice: Rec<readonly ['retail-orders'], Invoice, { [K in keyof Invoice]: 'input' }>;
declare const foreign: Rec<readonly ['other-pipeline'], Invoice, { [K in keyof Invoice]: 'input' }>;

// ── Wiring ──
// prettier-ignore
// @ts-expect-error 1: reads a field that nobody has written yet (currency)
lookUpRate(invoice);
// prettier-ignore
// @ts-expect-error 2: the field is there with another type
defineFunction('f', { effect: 'pure', reads: z.object({ country: z.number() }), handle: () => {} })(invoice);
// prettier-ignore
// @ts-expect-error 3: writes a field that is already written
findCurrency(findCurrency(invoice));
// prettier-ignore
// @ts-expect-error 4: joins records of different identity (an invoice and its lines)
join(invoice, splitLines(invoice));
// prettier-ignore
// @ts-expect-error 5: joins records of different pipelines
join(invoice, foreign);
const currencyToo = defineFunction('currency-too', {
  effect: 'pure',
  reads: z.object({ country: z.string() }),
  writes: z.object({ currency: z.string() }),
  handle: () => ({ currency: 'GBP' }),
});
// prettier-ignore
// @ts-expect-error 6: two branches write the same field
join(findCurrency(invoice), currencyToo(invoice));
// prettier-ignore
// @ts-expect-error 7: a reduce without an expand to close
defineReduce('n', { reads: z.object({ country: z.string() }), into: 'n', zero: { n: 0 }, add: (a) => a, merge: (a) => a })(invoice);
// prettier-ignore
// @ts-expect-error 8: a child does not carry its parent's fields
scoreFraud(splitLines(invoice));
// prettier-ignore
// @ts-expect-error 9: a symbolic record has no fields to look at
if (invoice.country === 'France') isSale(invoice);
// prettier-ignore
// @ts-expect-error 10: a plain record is not a symbolic one
isSale({ invoiceNo: '1', lines: [] });
// prettier-ignore
// @ts-expect-error 11: the third branch of a join is checked too
join(invoice, findCurrency(invoice), currencyToo(invoice));

// ── Functions ──
const Country = z.object({ country: z.string() });
// prettier-ignore
// @ts-expect-error 12: reads an undeclared field
defineFunction('f', { effect: 'pure', reads: Country, handle: (r) => { r.invoiceNo; } });
// prettier-ignore
// @ts-expect-error 13: returns a field of the wrong type
defineFunction('f', { effect: 'pure', reads: Country, writes: z.object({ n: z.number() }), handle: () => ({ n: 'one' }) });
// prettier-ignore
// @ts-expect-error 14: forgets a declared field
defineFunction('f', { effect: 'pure', reads: Country, writes: z.object({ n: z.number() }), handle: () => ({}) });
// prettier-ignore
// @ts-expect-error 15: a pure function with a resource
defineFunction('f', { effect: 'pure', uses: { rates }, reads: Country, handle: () => {} });
// prettier-ignore
// @ts-expect-error 16: a memo on a write
defineFunction('f', { effect: 'write', uses: { orders }, memo: { ttlMs: 1 }, reads: Country, handle: () => {} });
// prettier-ignore
// @ts-expect-error 17: an undeclared resource
defineFunction('f', { effect: 'read', uses: { rates }, reads: Country, handle: (_, { db }) => {} });
// prettier-ignore
// @ts-expect-error 18: idempotency keys are for writes
defineFunction('f', { effect: 'read', uses: { rates }, reads: Country, handleBatch: (rs, { keys }) => rs.map(() => ({})) });
// prettier-ignore
// @ts-expect-error 19: both handlers
defineFunction('f', { effect: 'pure', reads: Country, handle: () => {}, handleBatch: (rs) => rs.map(() => ({})) });
// prettier-ignore
// @ts-expect-error 20: no handler
defineFunction('f', { effect: 'pure', reads: Country });
// prettier-ignore
// @ts-expect-error 21: a field that is not JSON
defineFunction('f', { effect: 'pure', reads: Country, writes: z.object({ at: z.date() }), handle: () => ({ at: new Date() }) });
// prettier-ignore
// @ts-expect-error 22: a batch handler answers with something else
defineFunction('f', { effect: 'pure', reads: Country, writes: z.object({ n: z.number() }), handleBatch: (rs) => rs.map((r) => r.country) });
// prettier-ignore
// @ts-expect-error 23: writes into a record that it was given
defineFunction('f', { effect: 'pure', reads: Country, handle: (r) => { r.country = 'x'; } });
// prettier-ignore
// @ts-expect-error 24: a resource may not hide the context's signal
defineFunction('f', { effect: 'read', uses: { signal: rates }, reads: Country, handle: () => {} });
// prettier-ignore
// @ts-expect-error 25: reduces by a key that it does not read
defineReduce('n', { reads: z.object({ amount: z.number() }), key: ['category'], into: 'n', zero: { n: 0 }, add: (a) => a, merge: (a) => a });
// prettier-ignore
// @ts-expect-error 26: the sum changes its shape
defineReduce('n', { reads: z.object({ amount: z.number() }), into: 'n', zero: { n: 0 }, add: () => ({ m: 1 }), merge: (a) => a });

// ── Pipelines ──
const Out = z.object({ currency: z.string() });
// prettier-ignore
// @ts-expect-error 27: promises an output field that nobody writes
definePipeline('p', { input: Country, key: 'country', output: Out }, (r) => r);
// prettier-ignore
// @ts-expect-error 28: the key is no field of the input
definePipeline('p', { input: Country, key: 'invoiceNo', output: Country }, (r) => r);
// prettier-ignore
// @ts-expect-error 29: returns a child instead of the record itself
definePipeline('p', { input: z.object({ id: z.string(), lines: z.array(z.object({ stockCode: z.string(), quantity: z.int(), unitPrice: z.number() })) }), key: 'id', output: z.object({ category: z.string() }) }, (r) => splitLines(r));
// prettier-ignore
// @ts-expect-error 30: returns nothing
definePipeline('p', { input: Country, key: 'country', output: Country }, (r) => { findCurrency(r); });

// prettier-ignore
// @ts-expect-error 31: the key is a field that cannot identify a record
definePipeline('p', { input: Country.extend({ tags: z.array(z.string()) }), key: 'tags', output: Country }, (r) => r);
// prettier-ignore
// @ts-expect-error 32: the key may be missing
definePipeline('p', { input: Country.extend({ id: z.string().nullable() }), key: 'id', output: Country }, (r) => r);

// ── Resources and options ──
// prettier-ignore
// @ts-expect-error 33: a resource asks for a secret that it does not declare
defineResource({ name: 'r', secrets: ['URL', 'TOKEN'], open: ({ secret }) => secret('PASSWORD') });
// prettier-ignore
// @ts-expect-error 34: a resource that declares no secret asks for one
defineResource({ name: 'r', open: ({ secret }) => secret('PASSWORD') });
// prettier-ignore
// @ts-expect-error 35: closes something else than it opened
defineResource({ name: 'r', open: () => ({ url: 'x' }), close: ({ end }) => end() });
// prettier-ignore
// @ts-expect-error 36: retries on a plain write
defineFunction('f', { effect: 'write', uses: { orders }, retry: { maximumAttempts: 2 }, reads: Country, handle: () => {} });
// prettier-ignore
// @ts-expect-error 37: a batch has no time of its own
defineFunction('f', { effect: 'pure', reads: Country, handleBatch: (rs, { now }) => rs.map(() => ({})) });
// prettier-ignore
// @ts-expect-error 38: writes into the sum that it was given
defineReduce('n', { reads: Country, into: 'n', zero: { n: 0 }, add: (a) => { a.n = 1; return a; }, merge: (a) => a });
// prettier-ignore
// @ts-expect-error 39: a fake that does not fit its resource
fake(rates, { on: () => 1 });

// ── What must compile, exactly ──
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const yes = <_T extends true>(): void => {};
type FieldsOf<R> = R extends Rec<any, infer T, any> ? T : never;
const sale = isSale(invoice);
const rated = lookUpRate(findCurrency(sale));
const totals = revenueByCategory(splitLines(sale));
yes<Equal<FieldsOf<typeof totals>, { readonly revenue: { category: string; sum: number; lines: number }[] }>>();
yes<Equal<FieldsOf<typeof rated>['toGbp'], number>>();
const done = storeOrder(join(rated, scoreFraud(join(sale, totals))));
yes<Equal<FieldsOf<typeof done>['stored'], boolean>>();
yes<Equal<OutputOf<typeof retailOrders>, { invoiceNo: string; revenueGbp: number; risk: number; stored: boolean }>>();
const nested = defineExpand('parts', {
  reads: z.object({ category: z.string() }),
  writes: z.object({ part: z.string() }),
  children: () => [],
});
const count = defineReduce('count', {
  reads: z.object({ part: z.string() }),
  into: 'parts',
  zero: { n: 0 },
  add: (a) => ({ n: a.n + 1 }),
  merge: (a, b) => ({ n: a.n + b.n }),
});
const lines = splitLines(sale);
const parts = count(nested(lines)); // closes the inner scope only …
yes<Equal<FieldsOf<typeof parts>, { readonly parts: { n: number } }>>();
const inner = join(lines, parts); // … so it joins with the lines
revenueByCategory(inner);

// Resources open as what `open` answers, at once or later.
yes<Equal<typeof orders, Resource<Orders>>>();
const later = defineResource({
  name: 'later',
  secrets: ['A', 'B'],
  open: async ({ secret }) => ({ url: secret('A') + secret('B') }),
  close: ({ url }) => void url,
});
yes<Equal<typeof later, Resource<{ url: string }>>>();
fake(later, { url: '' });
