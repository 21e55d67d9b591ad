import { crash, orders } from '../orders.js';

/** Sixteen records in a hundred. */
export const release = orders((n) => {
  if (n % 6 === 3) throw crash();
  return n;
});
