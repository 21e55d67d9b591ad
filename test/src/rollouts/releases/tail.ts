import { orders, pause } from '../orders.js';

/** One batch in some: all of it waits. */
export const release = orders(async (n) => {
  if (n % 97 === 0) await pause(4_000);
  return n;
});
