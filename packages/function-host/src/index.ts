export type * from './contract.js';
export type { ShareDivider, ShareHolder } from './shares/contract.js';
export { createFunctionHost } from './host.js';
export { buildRelease, readRelease, ReleaseError, type InstalledRelease, type Release, type ReleaseErrorCode } from './release/index.js';
export { createReplay, NOT_RECORDED } from './replay/index.js';
export type {
  Replay,
  ReplayAnswers,
  Replayed,
  ReplayedInvocation,
  ReplayedRecord,
  ReplayOptions,
  ReplayRecord,
  ReplayRequest,
} from './replay/index.js';
export { singleFlight } from './single-flight.js';
