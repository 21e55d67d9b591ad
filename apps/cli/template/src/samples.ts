/** What `autoflow test` and `autoflow check` try; it is not deployed. */
export { orders } from './orders.js';

export const samples = [
  { orderNo: '1001', lines: [{ article: 'lamp', quantity: 2, unitPriceCents: 2_950 }] },
  { orderNo: '1002', lines: [{ article: 'pen', quantity: 3, unitPriceCents: 120 }] },
  { orderNo: '1003', lines: [] },
];
