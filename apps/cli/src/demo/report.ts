import type { OutcomeCounts } from '@autoflow/pipeline';
import type { Metrics } from "@autoflow/client";
import type { Allocation, Topology } from '@autoflow/topology';

/** What `--json FILE` gets. Milliseconds, dollars, records; metrics are those of the API. */
export interface DemoReport {
  readonly form: 'autoflow-demo/1';
  readonly startedAt: string;
  readonly seconds: number;
  readonly environment: Environment;
  readonly source: { readonly origin: 'real' | 'generated' | 'own'; readonly file: string; readonly limit: number };
  readonly pipeline: string;
  readonly runs: readonly [before: DemoRun, after: DemoRun];
  /** Of the outcome digests: every record has the same outcome and the same output under both versions. */
  readonly equal: boolean;
  /** After ÷ before. */
  readonly ratios: Readonly<Record<string, number | undefined>>;
  readonly rollback: DemoRollback;
  readonly notMeasured: readonly string[];
}

export interface Environment {
  readonly node: string;
  readonly platform: string;
  readonly cpus: number;
  readonly cpuModel: string;
  readonly memoryGb: number;
  readonly temporal: 'started for the demo, in memory' | 'the one that was configured';
  readonly postgres: 'started for the demo' | 'the one that was configured';
}

/** One version over the invoices of the source, in a scope of its own. */
export interface DemoRun {
  readonly version: string;
  readonly scope: string;
  readonly topology: Topology;
  readonly allocation: Allocation;
  readonly load: { readonly openExecutions: number; readonly recordsPerExecution: number; readonly warmUp: number };
  readonly seconds: number;
  readonly counts: OutcomeCounts;
  readonly digest: string;
  readonly metrics: Metrics;
  readonly stages: readonly Metrics[];
  /** Rows that store-order wrote in this scope, and a digest over them. */
  readonly sink: { readonly rows: number; readonly digest: string };
}

export interface DemoRollback {
  readonly from: string;
  readonly to: string;
  /** Of the one API call. */
  readonly callMs: number;
  /** Versions of the records that were processed before and after it. */
  readonly before: Readonly<Record<string, number>>;
  readonly after: Readonly<Record<string, number>>;
}
