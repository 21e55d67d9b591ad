import { logUniform } from '../traces/random.js';
import type { PipelineConditions } from './random-pipeline.js';

/** How often is decided, how fast the functions are and how much time a record has. */
export type Conditions = Pick<PipelineConditions, 'intervalMs' | 'pace' | 'slackMs'>;

/** As people leave them. */
export const USUAL: Conditions = { intervalMs: 15_000 };

const INTERVAL_MS = { least: 1_000, most: 30_000 };
const PACE = { least: 0.3, most: 1 };
/** Of an interval: from where next to no queue is forgiven, to where more tells nothing, for what is ordered now is there in time. */
const SLACK = { least: 0.03, most: 2 };
/** Of the slowest way through: with less, what is late is so by its service alone, and no control changes it. */
const LEAST_SLACK = 0.8;

/** Any that a pipeline may be set to, as far as control can matter. */
export function anyConditions(random: () => number): Conditions {
  const intervalMs = Math.round(logUniform(random, INTERVAL_MS));
  const pace = logUniform(random, PACE);
  const slack = intervalMs * logUniform(random, SLACK);
  return { intervalMs, pace, slackMs: (wayMs) => Math.max(slack, LEAST_SLACK * wayMs) };
}
