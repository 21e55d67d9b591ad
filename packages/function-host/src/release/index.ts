export { buildRelease, type Release } from './build-release.js';
export type { ReleaseSource } from './fetch-release.js';
export { ReleaseError, type ReleaseErrorCode } from './errors.js';
export { readRelease, type InstalledRelease } from './read-release.js';
