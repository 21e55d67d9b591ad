export { type BackendName, loadBackend, type TensorBackend } from './backend.js';
export { FeatureError } from './feature-error.js';
export {
  EDGE_FEATURES,
  featureBatch,
  GLOBAL_FEATURES,
  NODE_FEATURES,
  planFeatures,
  type Dependency,
  type FeatureBatch,
  type PlanFeatures,
  type ScoredLoad,
} from './features.js';
export * from './agent/index.js';
export * from './control/index.js';
export * from './gcn/index.js';
