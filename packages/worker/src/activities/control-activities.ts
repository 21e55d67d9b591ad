/** The activity of the Allocation workflow. */
import type { ControlActivities } from '@autoflow/topology';
import { controlStep, type ControlPorts } from '../control/step.js';
import { atActivityBoundary } from '../errors.js';

export function controlActivities(ports: ControlPorts): ControlActivities {
  return { controlStep: atActivityBoundary((request) => controlStep(request, ports)) };
}
