/** `createWorker`: one process, any of the roles. Composition root of workflows, function-host, store and activities. */
import type { BatchStoreSettings } from '@autoflow/store';
import type { Tracing } from '@autoflow/telemetry';
import type { ControllerSettings } from './control/controller.js';

export type Role = 'workflows' | 'control' | 'functions' | 'feeder' | 'learner';

export interface WorkerOptions {
  readonly roles: readonly Role[];
  readonly temporal: { readonly address: string; readonly namespace: string; readonly apiKey?: string; readonly tls?: boolean | object };
  readonly databaseUrl: string;
  readonly batchStore: BatchStoreSettings;
  /** Folder of this host in which the releases are kept that were fetched from the store. */
  readonly releases: string;
  /** Role functions: runs the functions of these pipelines only (default: of all). Somebody must run those of the others. */
  readonly pipelines?: readonly string[];
  readonly secret: (name: string) => string | undefined;
  /** Folders (control role) from which backfills may read files; undefined: any that the process may. */
  readonly sources?: readonly string[];
  readonly host: string;
  readonly logLevel?: 'debug' | 'info' | 'warn' | 'error';
  /** `host:port` where Prometheus reads this process (path /metrics): the Temporal SDK's metrics, the pools and the feeder. Nobody is asked for a token. */
  readonly metricsAddress?: string;
  readonly metering?: boolean;
  /** Of the records, by key: what comes in, and what functions are asked and answer, is recorded (default 0.01; 0: nothing is). */
  readonly recordShare?: number;
  /** Role feeder. Of the batches, in [0, 1]: probes of another size than their version's, for the fit of the twin (default `PROBE_SHARE`; 0: none, and nothing can be optimized that has not been calibrated). */
  readonly probeShare?: number;
  /** Executions, activities and functions make spans; undefined: none. Closed by whoever started it, after `stop`. */
  readonly tracing?: Tracing | undefined;
  /** `id:base64,…`: payloads to and from Temporal are encrypted (AES-256-GCM) with the first, decrypted with any. The same for every client and worker. */
  readonly payloadKeys?: string;
  readonly webhooks?: {
    /** Loopback, private and link-local addresses may be sent to (default: refused, so that a webhook cannot reach into the network of the worker). */
    readonly allowPrivate?: boolean;
  };
  readonly idleMs?: number;
  /** Role functions. An instance that has not loaded its release for so long is ended (default 30 s); a release that is late again is broken. */
  readonly loadWithinMs?: number;
  /** The program of a learner's process (role learner): `@autoflow/learning/learner`, which this package does not load; what it uses of a core beside others (default 1/32). */
  readonly learner?: { readonly program: string; readonly functions?: () => Promise<readonly object[]>; readonly beside?: number };
  /** Days (control role): of measurements, default 30; of batch files, default 14, longer than the namespace's retention and the longest execution together; of events, default 30; of recordings, default 7. */
  readonly retention?: {
    readonly meteringDays?: number;
    readonly batchDays?: number;
    readonly eventDays?: number;
    readonly recordingDays?: number;
  };
  /** Of allocations (role control); without it nothing is controlled. */
  readonly controller?: ControllerSettings;
  /** The program that fits and searches (control role): `@autoflow/learning/optimizer`, which this package does not load. Undefined: nothing is optimized here. */
  readonly optimizer?: { readonly program: string };
}
export interface RunningWorker {
  /** Settles when the worker has stopped; rejects when a part of it failed for good. */
  readonly done: Promise<void>;
  stop(): Promise<void>;
}
