export { createControlPlane, type ControlPlane, type ControlPlaneOptions } from './control-plane.js';
export type { Log } from '@autoflow/store';
export { readSettings, type Settings } from './settings.js';
