export { NOT_RECORDED, type ReplayAnswers } from './answers.js';
export type * from './contract.js';
export { createReplay } from './replay.js';
