export * from './topology.js';
export * from './execution.js';
