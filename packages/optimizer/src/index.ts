/** Search for better topologies: plan space, proposers under equal budgets, exact optimum where it can be enumerated. Pure. */
export { Account, Evaluator, keyOf, type Evaluation } from './evaluator.js';
export type { OptimizerProtocol, ScoredTopology, SearchProgress } from './asked.js';
export { Pacer } from './pacer.js';
export { fitPipeline, hostOf, UNFIT, type Fitted, type FittedPipeline, type MeasuredPipeline } from './fitted-pipeline.js';
export { paretoFront } from './pareto.js';
export type { Batching, Budget, Objective, Plan, Problem, SpaceOptions } from './problem.js';
export { certified, propose, type Progress, type Proposed, type ProposeOptions, type Standing, type Winner } from './propose.js';
export type { ExactSpace, Proposal, Proposer, Search } from './proposer.js';
export { climb } from './proposers/beam.js';
export { PROPOSERS } from './proposers/index.js';
export { randomNeighbour, randomPoint, startPoint } from './proposers/moves.js';
export { keepsLimits, regret, scoreOf, type Figures } from './score.js';
export type { Candidate } from './space/candidate.js';
export { ChainSpace, least, MOST_PLANS, type NotEnumerable } from './space/chain.js';
export { batchingsFor } from './space/batchings.js';
export { envelopeOf, Formula } from './space/formula.js';
export { limitsOf, PlanSpace, type Point } from './space/plan-space.js';
export * from './allocators/index.js';
