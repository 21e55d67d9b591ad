/** Load traces: when records arrive, as a rate or as a log. Pure; whoever reads files hands over their contents. */
export { profileOfCounts, type CountsOptions, type Interpolation } from './counts.js';
export { isUsable, lag1Autocorrelation, minutesOf, SELECTION, SPLITS, type FunctionCounts, type Split } from './functions.js';
export { durationOf, expectedArrivals, lasting, rateAt, warp, withMeanRate, type Piece, type RateProfile } from './profile.js';
export { bursts, constant, sine, steps, type BurstOptions, type SineOptions } from './shapes.js';
export { timestampTrace, type TimestampOptions } from './timestamps.js';
export { rateTrace, type Spacing, type Trace } from './trace.js';
