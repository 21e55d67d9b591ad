import type { DemoServers } from './environment.js';
import type { Metrics, OptimizationDetail, Rollout, Version, VersionAllocation } from '@autoflow/client';
import type { OutcomeCounts } from '@autoflow/pipeline';

/** What `--json FILE` gets. Milliseconds, dollars, records; metrics are those of the API. */
export interface DemoReport {
  readonly form: 'autoflow-demo/2';
  readonly startedAt: string;
  readonly seconds: number;
  readonly environment: Environment;
  readonly source: { readonly origin: 'real' | 'generated' | 'own'; readonly file: string; readonly invoices: number };
  readonly pipeline: string;
  readonly runs: readonly [before: DemoRun, after: DemoRun];
  /** Every record has the same outcome and output under both versions, and the same row in the sink. */
  readonly equal: boolean;
  /** After ÷ before. */
  readonly ratios: Readonly<Record<string, number | undefined>>;
  /** Where the second version comes from, and why. Seconds from the request to its registration. */
  readonly optimization: { readonly id: string; readonly seconds: number; readonly decisions: OptimizationDetail['decisions'] };
  readonly rollout: DemoRollout;
  readonly rollback: DemoRollback;
  readonly notMeasured: readonly string[];
}

export interface Environment {
  readonly node: string;
  readonly platform: string;
  readonly cpus: number;
  readonly cpuModel: string;
  readonly memoryGb: number;
  readonly servers: DemoServers;
}

/** One version over the invoices of the source, in a scope of its own. */
export interface DemoRun {
  readonly version: string;
  readonly scope: string;
  readonly topology: Version['topology'];
  readonly allocation: VersionAllocation['stages'];
  readonly load: { readonly openExecutions: number; readonly recordsPerExecution: number; readonly warmedUp: number };
  readonly counts: OutcomeCounts;
  /** Of outcomes and outputs. */
  readonly digest: string;
  /** The run that the metrics are of: the one that is compared, or a longer one of the same invoices and more. */
  readonly measured: { readonly scope: string; readonly invoices: number; readonly seconds: number };
  readonly metrics: Metrics;
  readonly stages: readonly Metrics[];
  /** Rows that `store-order` wrote in this scope, and a digest of them. */
  readonly sink: { readonly rows: number; readonly digest: string };
}

/** How the better version came by the traffic of a load, or did not. */
export interface DemoRollout extends Pick<Rollout, 'id' | 'state' | 'settings' | 'steps' | 'shadow' | 'judgement' | 'harm'> {
  /** Promoted or taken back on what was measured; false: something is broken. */
  readonly carriedOut: boolean;
  /** Why it ended as it did. */
  readonly outcome: string;
  readonly evaluations: number;
  readonly traffic: { readonly ratePerSecond: number; readonly accepted: number; readonly refused: number; readonly failed: number };
}

export interface DemoRollback {
  readonly from: string;
  readonly to: string;
  /** Of the one API call. */
  readonly callMs: number;
  /** How many records ran on which version, before the call and after it. */
  readonly before: Readonly<Record<string, number>>;
  readonly after: Readonly<Record<string, number>>;
  /** Those before ran on `from`, but for the few of a holdout, and those after on `to` only. */
  readonly held: boolean;
}
