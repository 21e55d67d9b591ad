export { calibrationError, isBetter, reliabilityOf, type Calibration, type Judged } from './calibration.js';
export type { Contribution } from './contributions.js';
export { drawDag, group, SIZES, splitOf, type DatasetSize, type Split } from './dataset.js';
export { labelled, loadOf, type LabelledGroup, type LabelledPlan } from './labels.js';
export {
  FEATURE_SCHEMA,
  FORMAT,
  ModelError,
  parseModel,
  PRETRAINED,
  readModel,
  serialiseModel,
  writeModel,
  type GcnModel,
} from './model-file.js';
export { publishedProblem, readPublished, type PublishedWorkflow } from './published-families.js';
export { gcnProposer, type GcnProposal, type GcnProposer, type GcnProposerOptions } from './proposer.js';
export { type ScoredPlan } from './ranking.js';
export { chainShape, familyOf, randomDagShape, randomProblem, type Shape } from './random-problems.js';
export { Scorer } from './scorer.js';
export { trainInChild, type ChildTraining } from './train-in-child.js';
export { Training, type Checkpoint, type TrainingSettings } from './training.js';
export { leadOf, utility, type Utility } from './utility.js';
export { MEASURED_WEIGHT } from './retraining/measured-groups.js';
export { retrain, type RetrainSettings } from './retraining/retrain.js';
