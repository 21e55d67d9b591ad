/** What runs a pipeline in a process: the instance of a function host, and the local runner of `testing`. */
export { admitRecord, type Admission } from './admit-record.js';
export { condemn } from './condemn.js';
export type { FunctionSpan, RunOptions, RunResult, StandIn } from './contract.js';
export { dropDead, type Dropped } from './drop-dead.js';
export { Memo } from './memo.js';
export { mergeStates } from './merge-states.js';
export type { ObservedAnswer, ObservedCall, ObservedNode, Observer } from './observe.js';
export { outcomeOf } from './outcome.js';
export { runNodes } from './run-nodes.js';
export { takeRecord, type NotTaken, type Taken } from './take-record.js';
