export type * from './model.js';
export type * from './batches/contract.js';
