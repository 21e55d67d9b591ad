import { defineFilter, defineFunction, definePipeline } from '@autoflow/pipeline';
import { z } from 'zod';

export const Order = z.object({
  orderNo: z.string(),
  /** Money is integer minor units: sums of fractions differ by their order. */
  lines: z.array(z.object({ article: z.string(), quantity: z.number().int(), unitPriceCents: z.number().int() })),
});

/** A function sees the fields that it reads, and nothing else; fields are written once. */
export const hasLines = defineFilter('has-lines', {
  reads: Order.pick({ lines: true }),
  keep: ({ lines }) => lines.length > 0 || 'an order without lines',
});

export const addUp = defineFunction('add-up', {
  effect: 'pure',
  reads: Order.pick({ lines: true }),
  writes: z.object({ totalCents: z.number().int() }),
  handle: ({ lines }) => ({ totalCents: lines.reduce((sum, { quantity, unitPriceCents }) => sum + quantity * unitPriceCents, 0) }),
});

export const grantShipping = defineFunction('grant-shipping', {
  effect: 'pure',
  reads: z.object({ totalCents: z.number().int() }),
  writes: z.object({ freeShipping: z.boolean() }),
  handle: ({ totalCents }) => ({ freeShipping: totalCents >= 5_000 }),
});

const Answer = z.object({ orderNo: z.string(), totalCents: z.number().int(), freeShipping: z.boolean() });

export const orders = definePipeline('orders', { input: Order, key: 'orderNo', output: Answer }, (order) =>
  grantShipping(addUp(hasLines(order))),
);
