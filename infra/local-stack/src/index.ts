export { removeStack, runningStack, stopStack } from './control.js';
export { StackError, type StackErrorCode } from './errors.js';
export { cacheFolder } from './folders.js';
export { freePort } from './ports.js';
export { SEARCH_ATTRIBUTES } from './search-attributes.js';
export { type Stack, stackFolder, type StackOptions, startStack, type TemporalEndpoint } from './stack.js';
export type { StackState } from './state.js';
export { findTemporal } from './temporal-binary.js';
export { configuredTemporal } from './temporal-external.js';
