import { agentAllocator } from './agent-allocator.js';
import { learnersScenarios, validationOf } from './learners-scenarios.js';
import { PARAMETERS } from './network.js';
import { PolicyError, type Policy } from './policy.js';
import { observedRange } from './range.js';
import { A3C } from './settings.js';

const K = 20;
/** So many that they hold short and long intervals, little time and much. */
const RANGED = 40;

/**
 * What learners have trained, as a policy: it is trusted between the observations that it meets where it is validated, and
 * in more of the like. */
export function trainedPolicy(parameters: Float32Array, trained: object): Policy {
  if (parameters.length !== PARAMETERS)
    throw new PolicyError(
      'OTHER_NETWORK',
      `these are ${parameters.length} parameters, this AutoFlow's network has ${PARAMETERS}. Export it with the version that trained it.`,
    );
  return { parameters, trained, range: observedRange(validationOf(learnersScenarios(), RANGED), agentAllocator({ parameters }, K), A3C.k) };
}
