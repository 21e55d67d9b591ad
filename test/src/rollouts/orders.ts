/** A pipeline that costs next to nothing, with a function that can be made to misbehave. */
import { defineFilter, defineFunction, definePipeline, TerminalError } from '@autoflow/pipeline';
import { z } from 'zod';

const Input = z.object({ id: z.string(), n: z.int() });

/** What a release does to a record; `n` is its number. */
export type Behaviour = (n: number) => number | Promise<number>;

export const orders = (total: Behaviour) => {
  const price = defineFunction('price', {
    effect: 'pure',
    reads: Input.pick({ n: true }),
    writes: z.object({ cents: z.int() }),
    handle: ({ n }) => ({ cents: 100 + (n % 50) }),
  });
  const sum = defineFunction('sum', {
    effect: 'pure',
    retry: { maximumAttempts: 1 },
    reads: Input.pick({ n: true }),
    writes: z.object({ total: z.int() }),
    handle: async ({ n }) => ({ total: await total(n) }),
  });
  const mayPass = defineFilter('may-pass', {
    reads: z.object({ total: z.int() }),
    keep: ({ total: found }) => (found % 5 === 0 ? 'a fifth' : true),
  });
  return definePipeline('orders', { input: Input, key: 'id', output: z.object({ cents: z.int(), total: z.int() }) }, (order) =>
    mayPass(sum(price(order))),
  );
};

export const crash = () => new TerminalError('CRASHED', 'a candidate that crashes');
