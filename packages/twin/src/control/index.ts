/** A pipeline under changing load, decision by decision: what a controller sees, and the twin as the world it acts in. */
export { ControlState, LONG_PEAK, SHORT_PEAK } from './control-state.js';
export { controlledPlan, serviceMsAt, type ServedStage } from './controlled-plan.js';
export { ControlEnvironment, EPISODE_STEPS } from './environment.js';
export { splitFunctions, syntheticFunctions, type FunctionSets } from './functions.js';
export { randomPipeline, type RandomPipeline } from './random-pipeline.js';
export { randomScenario, scenarioOf, type ControlScenario, type ScenarioOptions } from './scenario.js';
export type { ControlledPipeline, ControlledStage, ControlTick, StageTarget, StageTick } from './tick.js';
