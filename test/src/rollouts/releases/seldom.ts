import { crash, orders } from '../orders.js';

/** One record in a hundred. */
export const release = orders((n) => {
  if (n % 100 === 3) throw crash();
  return n;
});
