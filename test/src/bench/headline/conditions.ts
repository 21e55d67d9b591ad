/** What is fixed before anything is measured. */

export interface HeadlineConditions {
  readonly repetitions: number;
  /** AutoFlow begins cold so often; repetitions take their results in turn. */
  readonly coldStarts: number;
  /** Of one cell with a constant rate; of it, at the start, neither rate nor latency. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** It takes longer where fewer records would arrive after that: the p99 of a few dozen is the slowest of them, and slow sides would be judged by that. */
  readonly fewestRecords: number;
  /** Of one cell with a varying load. */
  readonly traceSeconds: number;
  readonly drainSeconds: number;
  /** Invoices that every side gets alike, and whose outcomes are compared. */
  readonly sameInvoices: number;
  /** Of a backlog that estimates what a side can do. */
  readonly capacitySeconds: number;
  /** Rates of a side beside the common one, as shares of that estimate: it begins at the share `first`, goes on while the service level is kept, `most` of them. */
  readonly rungs: { readonly shares: readonly number[]; readonly first: number; readonly most?: number };
  /** Fixed batch sizes of which baseline 2 gets the best. */
  readonly batchSizes: readonly number[];
  /** On p99. */
  readonly serviceLevelMs: number;
  /** Of what baseline 1 can do: where latency, cost and utilisation are compared. */
  readonly commonShare: number;
  /** Mean of the varying load: so many times what baseline 1 can do. AutoFlow is asked for a version that carries so much. */
  readonly traceTimes: number;
  readonly controlIntervalMs: number;
  /** Simulations that baseline 3 is searched with, for each trace. */
  readonly staticEvaluations: number;
  /** Baseline 3 is tuned on the window before as well, not only on what it is measured under. */
  readonly causal: boolean;
  readonly coldStart: ColdStartConditions;
}

export interface ColdStartConditions {
  /** The pipeline as written is under load for so long before it is optimized. */
  readonly seconds: number;
  /** Of what it can do; on average, where the load varies: between bursts what has waited is done. */
  readonly share: number;
  readonly varyingShare: number;
  /** Where the feeder's own probes do not tell what a batch costs from what a record costs. */
  readonly probes: { readonly batchRecords: number; readonly batches: number };
  /** Measured and asked again where the measurements do not do. */
  readonly attempts: number;
  /** The version is to carry so many times the load; nineteen records of twenty no later than the mean of those of the pipeline as written. */
  readonly times: number;
  readonly searchSeconds: number;
  readonly training: { readonly learners: number; readonly budget: { readonly steps: number; readonly seconds: number } };
  /** Of the records, whose inputs are recorded for the shadow. */
  readonly recordShare: number;
  /** Undefined: autonomy starts the rollout, with the usual settings. Else a rollout with these, asked for over the API. */
  readonly rollout?: {
    readonly steps: number[];
    readonly periodMs: number;
    readonly warmupMs: number;
    readonly maximumMs: number;
    readonly minimumRecords: number;
    readonly shadowRecords: number;
    readonly margins: { readonly dead: number; readonly errors: number; readonly p95: number; readonly p99: null };
  };
  /** Then it is taken as not promoted. */
  readonly rolloutWithinSeconds: number;
}

const COLD_START = {
  seconds: 60,
  share: 0.7,
  varyingShare: 0.35,
  probes: { batchRecords: 20, batches: 15 },
  attempts: 3,
  times: 20,
  searchSeconds: 45,
  training: { learners: 1, budget: { steps: 60_000, seconds: 90 } },
  recordShare: 0.2,
} as const;

export const FULL: HeadlineConditions = {
  repetitions: 5,
  coldStarts: 5,
  seconds: 60,
  warmUpSeconds: 15,
  fewestRecords: 300,
  traceSeconds: 300,
  drainSeconds: 120,
  sameInvoices: 200,
  capacitySeconds: 12,
  rungs: { shares: [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2], first: 0.6 },
  batchSizes: [10, 30, 100, 300],
  serviceLevelMs: 2_000,
  commonShare: 0.7,
  traceTimes: 3,
  controlIntervalMs: 5_000,
  staticEvaluations: 2_000,
  causal: true,
  coldStart: { ...COLD_START, rolloutWithinSeconds: 3_600 },
};

export const QUICK: HeadlineConditions = {
  ...FULL,
  repetitions: 2,
  coldStarts: 1,
  seconds: 25,
  warmUpSeconds: 8,
  fewestRecords: 120,
  traceSeconds: 40,
  drainSeconds: 40,
  sameInvoices: 100,
  capacitySeconds: 6,
  rungs: { shares: [0.25, 0.4, 0.6, 0.8, 1], first: 0.8, most: 3 },
  batchSizes: [20, 100],
  staticEvaluations: 600,
  causal: false,
  coldStart: {
    ...COLD_START,
    seconds: 40,
    searchSeconds: 30,
    training: { learners: 1, budget: { steps: 20_000, seconds: 25 } },
    rollout: {
      steps: [50],
      periodMs: 10_000,
      warmupMs: 5_000,
      maximumMs: 600_000,
      minimumRecords: 200,
      shadowRecords: 50,
      // What less than two thousand records of either arm can be shown to be within: nothing of p99.
      margins: { dead: 0.02, errors: 0.02, p95: 0.25, p99: null },
    },
    rolloutWithinSeconds: 640,
  },
};
