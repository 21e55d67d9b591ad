/** The local stack with everything of AutoFlow in it, for tests and benchmarks. */
export { type RunningStack, type RunningStackOptions, startRunningStack } from './local/running-stack.js';
export type { Child } from './local/child.js';
export { registerModule, type RegisteredPipeline } from './modules/register.js';
