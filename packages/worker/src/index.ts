export type * from './contract.js';
export { createWorker } from './create-worker.js';
