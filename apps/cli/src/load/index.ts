/** Load as a library, for benchmarks: the same loop, marks and figures as those of `autoflow load`. */
export { readFunctions } from './azure-functions.js';
export { systemClock, type Clock } from './clock.js';
export { Histogram, type Summary } from './histogram.js';
export { measure, type EndedRecord, type Measured, type MeasureOptions } from './measured.js';
export { HttpSubmitter, type HttpSubmitterOptions, type IngestAddress } from './http-submitter.js';
export { offer, type Offered, type OfferOptions, type Sent, type Submission, type Submitter } from './open-loop.js';
export { clockOffset, outcomesOf, storedOutcomes, type DrainOptions, type Outcomes } from './outcomes.js';
export { runMark, type RunMark } from './run-mark.js';
