/** Prices are one cent higher. */
import { defineFunction, definePipeline, join } from '@autoflow/pipeline';
import { book, isSale, lines, lookUpRate, Noted, Order, Rated, Receipt, total } from './functions.js';

const price = defineFunction('price', {
  effect: 'pure',
  reads: Rated,
  writes: Noted,
  handleBatch: (orders) => orders.map(({ rate, total: { cents } }) => ({ cents: Math.round(cents * rate) + 1, note: 'thank you' })),
});

export const orders = definePipeline('orders', { input: Order, key: 'id', output: Receipt }, (order) =>
  book(price(lookUpRate(isSale(join(order, total(lines(order))))))),
);
