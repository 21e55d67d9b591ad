export { startTracing, type Tracing, type TracingOptions } from './tracing.js';
export { continuing, currentTrace, serving, spanOfPast } from './traces.js';
