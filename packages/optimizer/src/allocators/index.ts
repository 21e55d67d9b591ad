/** Memory and concurrency per stage while a pipeline runs: the port, the rules that people use, and the twin to judge them in. */
export { allocatorOf, type Allocator, type ConcurrencyRule, type Controller } from './allocator.js';
export { clairvoyant } from './clairvoyant.js';
export type { ControllerAnswer, ControllerRequest } from './controller-messages.js';
export { runEpisode, runEpisodes, scoreAt, tuned, type AllocatorFor, type Episode } from './episode.js';
export { FALLBACK, RULES } from './families.js';
export { followingMemory, NOTCH_EVERY } from './following-memory.js';
export { hpa, type HpaOptions } from './hpa.js';
export { kedaLike, type KedaOptions } from './keda.js';
export { raisedWithinLimits, withinLimits } from './limits.js';
export { compareOn, decideOn, playedOf, REMEMBERED, type Compared, type Decision, type Observed } from './live.js';
export { forMeanLoad } from './mean-load.js';
export { startingAllocation, type AllocationStanding, type StartingAllocation } from './starting.js';
export { onSizes, powerTuned, powerTunedSizes } from './power-tuning.js';
export { staffing, type StaffingOptions } from './staffing.js';
export { steady } from './steady.js';
export { bestStatic, causalStatic, fixed, hindsightStatic } from './static.js';
