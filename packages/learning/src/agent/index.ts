/** The resource agent: shared-stage actor and critic, their training in the twin, and the policy as an allocator. */
export { agentAllocator } from './agent-allocator.js';
export { Learner, type LearnerState } from './learner.js';
export { freshParameters, PARAMETERS } from './network.js';
export { bytesOf, floatsOf, parsePolicy, PolicyError, pretrainedPolicy, writePolicy, type ObservedRange, type Policy } from './policy.js';
export { observedRange, outOfRange } from './range.js';
export type { RewardKind } from './reward.js';
export type { ScenarioSource } from './rollouts.js';
export { A3C, PPO, type AgentSettings } from './settings.js';
export { trainedPolicy } from './trained-policy.js';
export { train, validated, type CurvePoint, type Trained, type TrainingOptions } from './training.js';
