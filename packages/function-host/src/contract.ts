/** What the function host is given: everything it touches outside comes in by these ports. */
import type { DataConverter } from '@temporalio/common';
import type { NativeConnection, WorkerInterceptors } from '@temporalio/worker';
import type { ReleaseSource } from './release/fetch-release.js';
import type { ShareDivider } from './shares/contract.js';
import type { BatchStoreSettings, DesiredPool, Enforcement, InvocationRow, PoolUsageRow, RecordedCalls } from '@autoflow/store';

export interface FunctionHostOptions {
  /** Name of this host, unique in the fleet. */
  readonly host: string;
  /** Temporal connection of the pools' Workers. */
  readonly connection: NativeConnection;
  readonly namespace: string;
  /** Of the namespace's payloads (default: the SDK's own). */
  readonly dataConverter?: DataConverter;
  /** Of the pools' Workers. */
  readonly interceptors?: WorkerInterceptors;
  readonly batchStore: BatchStoreSettings;
  /** Folder of this host with `<release hash>/index.mjs`, content-addressed: what was fetched is kept here. Hosts may share it. */
  readonly releases: string;
  /** Where a release is fetched from that is not in the folder; without it the folder is all there is. */
  readonly releaseSource?: ReleaseSource;
  /** Answers the value of a secret, or undefined; only declared secrets are asked for, and only instances get them. */
  readonly secret: (name: string) => string | undefined;
  /** Of the whole fleet: this host runs its share of each. */
  readonly desired: { read(): Promise<readonly DesiredPool[]>; onChange(callback: () => void): Promise<() => Promise<void>> };
  /** Divides concurrency and rates of resources among the hosts of the fleet. Without it this host is the only one, and has all of both. */
  readonly shares?: ShareDivider;
  readonly acknowledge: (
    pools: readonly { pipeline: string; version: string; stage: string; memoryMb: number; concurrency: number; instances: number }[],
  ) => Promise<void>;
  readonly metering: { invocation(row: InvocationRow): void; poolUsage(row: PoolUsageRow): void };
  /** A sample of what functions are asked and answer goes there; `share` of the records, by key. Without it nothing is recorded. */
  readonly recordings?: { readonly share: number; calls(row: RecordedCalls): void };
  readonly cost: (invocation: { billedMs: number; memoryMb: number }) => number;
  /** An instance without work for so long is ended (default 60 s): scale to zero. */
  readonly idleMs?: number;
  /** An instance that has not loaded its release for so long is ended (default 30 s); a release that is late again is broken. */
  readonly loadWithinMs?: number;
  /** The whole environment of instances (default: empty); nothing of the host's own is inherited. */
  readonly instanceEnvironment?: { readonly [name: string]: string };
  /** How long invocations under way and open polls are waited for before a pool's Worker is shut down all the same (default 120 s). */
  readonly drainWithinMs?: number;
  /** Share of invocations whose returned fields are checked by value (default 0.01). */
  readonly strictSample?: number;
  readonly enforcement?: Enforcement | 'detect';
  readonly log: (level: 'debug' | 'info' | 'warn' | 'error', message: string, details?: object) => void;
}

export interface FunctionHost {
  /** Resolves when the first reconciliation is done. */
  start(): Promise<void>;
  /** Drains every pool, then shuts its Worker down, then ends the instances. */
  stop(): Promise<void>;
  /** How memory is enforced here, and whether CPU share follows memory; for start-up lines and reports. */
  readonly enforcement: { readonly kind: Enforcement; readonly cpuFollowsMemory: boolean; readonly why: string };
}
