/** The activity of the Retraining workflow: what it finds is in rows, so any control worker can begin it again. */
import type { RetrainingActivities } from '@autoflow/topology';
import { atActivityBoundary } from '../errors.js';
import { retrain, type RetrainingPorts } from '../optimizing/retrain.js';
import { heartbeating } from './heartbeating.js';

export function retrainingActivities(ports: RetrainingPorts): RetrainingActivities {
  return { retrainScorer: atActivityBoundary((request) => heartbeating((signal) => retrain(request, ports, signal))) };
}
