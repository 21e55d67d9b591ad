/** What lies in the JSON of the headline: all that was measured, and what follows from it. */
import type { Ratio } from '../compared.js';
import type { Regression } from '../regression.js';
import type { StaticPlan } from './best-static.js';
import type { Capacity } from './capacity.js';
import type { HeadlineCell } from './cell.js';
import type { ColdStart } from './cold-start.js';
import type { HeadlineConditions } from './conditions.js';
import type { Prediction } from './predictions.js';

export interface Results {
  readonly conditions: HeadlineConditions;
  readonly load: string;
  readonly release: string;
  /** Hash of the code that measured. */
  readonly code: string;
  /** Cells that there was no time for, or that were not asked for. */
  readonly missing: readonly string[];
  readonly sides: readonly SideShown[];
  readonly coldStarts: readonly ColdStart[];
  /** For each varying load, under what was before it: asked for a version that carries its mean. */
  readonly forVarying: readonly ForVarying[];
  readonly capacities: readonly Capacity[];
  readonly commonRate?: number;
  /** Rising rates, and the common one. */
  readonly rates: readonly Cell[];
  readonly common: readonly Cell[];
  readonly varying: readonly Varying[];
  readonly predictions: readonly Prediction[];
}
export interface ForVarying {
  /** Its name. */
  readonly load: string;
  readonly coldStart: ColdStart;
}
/** Without the invocations: those are in the regression. */
export type Cell = Omit<HeadlineCell, 'invocations'>;

export interface SideShown {
  readonly name: string;
  readonly stages: readonly string[];
  readonly batch: number;
  readonly lingerMs: number;
  readonly start: object;
}
export interface Varying {
  readonly name: string;
  readonly about: string;
  readonly lag1: number;
  readonly peak: number;
  readonly plans: { readonly hindsight?: StaticPlan; readonly causal?: StaticPlan };
  readonly cells: readonly Cell[];
}

/** AutoFlow against one other side; a ratio that is absent could not be told. */
export interface Claims {
  readonly against: string;
  readonly throughput?: Ratio;
  readonly meanLatency?: Ratio;
  readonly p95?: Ratio;
  readonly cost?: Ratio;
  readonly costWithoutActions?: Ratio;
  /** Busy share of the instances' time, and used share of the memory. */
  readonly utilisation?: Ratio;
  readonly memoryUtilisation?: Ratio;
}

/** AutoFlow against a static plan under loads that vary, by pairs under the same arrivals; under 1 is better, but of `served`. */
export interface VaryingClaims {
  readonly against: string;
  /** A load, or all of them together. */
  readonly load: string;
  readonly cost?: Ratio;
  readonly p95?: Ratio;
  readonly memorySeconds?: Ratio;
  readonly served?: Ratio;
}

export interface HeadlineFigures extends Results {
  readonly saturations: readonly { readonly side: string; readonly perRepetition: readonly number[] }[];
  readonly claims: readonly Claims[];
  readonly varyingClaims: readonly VaryingClaims[];
  /** What batching and fusion alone bring, against the pipeline as written. */
  readonly alone: readonly Claims[];
  /** Of the milliseconds of an invocation on what it had. */
  readonly regression?: Regression;
  /** (predicted − measured) / measured, at the common load. */
  readonly errors: readonly PredictionError[];
  readonly optimizing?: Optimizing;
  readonly differing: readonly string[];
  readonly losses: readonly string[];
}
export interface PredictionError {
  readonly side: string;
  readonly by: 'twin' | 'gcn';
  readonly costPer1000?: number;
  readonly p95Ms?: number;
  readonly throughput?: number;
}
export interface Optimizing {
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Probes and what the canary cost more, at list prices, where it did; and CPU seconds at the price of 1,024 MB. */
  readonly usd: number;
  /** Records after which it has paid for itself; absent where it does not. */
  readonly paidAfterRecords?: number;
}
