export type * from './contract.js';
export { createFunctionHost } from './host.js';
export { buildRelease, readRelease, ReleaseError, type InstalledRelease, type Release, type ReleaseErrorCode } from './release/index.js';
