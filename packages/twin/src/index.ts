/** What running a topology costs and would cost: prices, service-time model, discrete-event simulator and analytic formula. Pure. */
export {
  AnalyticModel,
  COST,
  COST_WITHOUT_ACTIONS,
  CPU,
  MEAN,
  P95,
  THROUGHPUT,
  type AnalyticLoad,
  type AnalyticPrediction,
  type AnalyticStage,
} from './analytic/analytic-model.js';
export { backlog, poissonArrivals } from './arrivals.js';
export { billedMs, costPer1000, invocationCost, usageCost } from './cost.js';
export { driftOf, type Drift } from './fit/drift.js';
export { fit, modelsFor, type Fit, type FitProblem, type FittedFunction } from './fit/fit.js';
export { type MeteredInvocation, type MeteredSpan } from './fit/rows.js';
export { arrivalsOf, periodMs, profileOf, ratePeak, rateSeen, shapeOf, type Load, type LoadShape } from './load.js';
export { medianOf } from './fit/line.js';
export { kendallTau } from './kendall.js';
export { functionModel, modelOf, type FunctionModel, type FunctionModels } from './model/function-model.js';
export {
  cpuShare,
  fits,
  LOCAL_HOST,
  MB_PER_CORE,
  MEMORY_SHARE,
  memoryPressure,
  type HostModel,
  type TemporalModel,
} from './model/host-model.js';
export { PlanError } from './model/plan-error.js';
export { planModel, type PlanInput, type PlanModel, type PlannedStage } from './model/plan-model.js';
export { cpuMs, ioMs, noiseCv, workingSetMb, type StageModel } from './model/stage-model.js';
export { PUBLISHED_PRICES, type Prices } from './prices.js';
export { quantile } from './quantile.js';
export { estimate, replicate, type Estimate, type ReplicatedSimulation } from './replications.js';
export { simulate, type SimulatedStage, type SimulateOptions, type Simulation } from './simulate.js';
export { type ObservedInvocation, type SimulatorOptions } from './simulator/simulator-options.js';
export { Simulator } from './simulator/simulator.js';
export { temporalActions } from './temporal-actions.js';
export { probeShareOf } from './probe-share.js';
export { whatIf, type Measured, type RunnablePlan, type RunningPlan, type WhatIfAnswer, type WhatIfQuestion } from './what-if.js';
export { utilisation, type PoolUsage, type Utilisation } from './utilisation.js';
export { uniform } from './traces/random.js';
export * from './traces/index.js';
export * from './control/index.js';
