/** Five functions that do next to nothing, so that what is measured is the platform. */
import { defineFunction, definePipeline, type InputOf } from '@autoflow/pipeline';
import { z } from 'zod';

const Input = z.object({ id: z.string(), payload: z.string() });

const f1 = defineFunction('one', {
  effect: 'pure',
  reads: Input.pick({ id: true }),
  writes: z.object({ a: z.number() }),
  handle: ({ id }) => ({ a: id.length }),
});
const f2 = defineFunction('two', {
  effect: 'pure',
  reads: z.object({ a: z.number() }),
  writes: z.object({ b: z.number() }),
  handle: ({ a }) => ({ b: a + 1 }),
});
const f3 = defineFunction('three', {
  effect: 'pure',
  reads: z.object({ b: z.number() }),
  writes: z.object({ c: z.number() }),
  handle: ({ b }) => ({ c: b + 1 }),
});
const f4 = defineFunction('four', {
  effect: 'pure',
  reads: z.object({ c: z.number() }),
  writes: z.object({ d: z.number() }),
  handle: ({ c }) => ({ d: c + 1 }),
});
const f5 = defineFunction('five', {
  effect: 'pure',
  reads: z.object({ d: z.number() }),
  writes: z.object({ e: z.number() }),
  handle: ({ d }) => ({ e: d + 1 }),
});

export const trivial = definePipeline('trivial', { input: Input, key: 'id', output: z.object({ e: z.number() }) }, (record) =>
  f5(f4(f3(f2(f1(record))))),
);

/** A record of 2 KB. */
export const trivialRecord = (id: string): InputOf<typeof trivial> => ({ id, payload: 'x'.repeat(2000) });
